/** Where the keys of AWS come from, in the order of AWS's own tools. */
import { describe, expect, test } from 'bun:test';
import { parseAwsFiles } from '../../src/credentials/aws-files.ts';
import { type AwsWish, awsSource, regionOfProfile } from '../../src/credentials/aws-source.ts';

type Environment = Readonly<Record<string, string>>;

const wish: AwsWish = { profile: null, instanceMetadata: false };
const files = (config: string, credentials = '') => parseAwsFiles(config, credentials);
const source = (environment: Environment, config = '', credentials = '', more: Partial<AwsWish> = {}) =>
  awsSource({ ...wish, ...more }, { environment, files: files(config, credentials) });

const own = { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'S' };
const stored = '[default]\naws_access_key_id = D\naws_secret_access_key = DS\n';
const keys = (accessKeyId: string, secretAccessKey: string, sessionToken: string | null = null) => ({
  kind: 'keys' as const,
  keys: { accessKeyId, secretAccessKey, sessionToken },
});

describe('files', () => {
  test('comments, blanks, quotes and line ends of every kind are read', () => {
    const { profiles, ssoSessions } = files(
      '# top\r\n[default]\r\nregion=eu-west-1 ; here\r\n; no = no\r\n[profile "two words"]\nREGION = a#b\nnested =\n  deep = 1\n[sso-session s]\nsso_region = r\n[stray]\nregion = x',
    );
    expect(profiles.get('default')?.get('region')).toBe('eu-west-1');
    expect(profiles.get('two words')).toEqual(
      new Map([
        ['region', 'a#b'],
        ['nested', ''],
      ]),
    );
    expect(ssoSessions.get('s')?.get('sso_region')).toBe('r');
    // Without the word `profile` a section of the configuration is none.
    expect([...profiles.keys()]).toEqual(['default', 'two words']);
  });

  test('of a setting in both files the one of credentials counts', () => {
    const { profiles } = files('[profile a]\nregion = 1\nx = 2\n', '[a]\nregion = 3\n');
    expect(profiles.get('a')).toEqual(
      new Map([
        ['region', '3'],
        ['x', '2'],
      ]),
    );
  });

  test('no file, and what is none, has no profile', () => {
    expect(parseAwsFiles(null, null).profiles.size).toBe(0);
    expect(files('\0\0[\n=\n]x=y').profiles.size).toBe(0);
  });

  test('the region is that of the named profile', () => {
    const facts = { environment: {}, files: files('[default]\nregion = eu-west-1\n[profile p]\nregion = us-west-2\n') };
    expect(regionOfProfile(null, facts)).toBe('eu-west-1');
    expect(regionOfProfile('p', facts)).toBe('us-west-2');
    expect(regionOfProfile(null, { ...facts, environment: { AWS_PROFILE: 'p' } })).toBe('us-west-2');
    expect(regionOfProfile('q', facts)).toBeNull();
  });
});

describe('the order', () => {
  test('environment, then the profile of AWS_PROFILE or the default one', () => {
    expect(source(own, '', stored)).toEqual(keys('A', 'S'));
    expect(source({ ...own, AWS_SESSION_TOKEN: 'T' })).toEqual(keys('A', 'S', 'T'));
    expect(source({ AWS_ACCESS_KEY_ID: 'A' }, '', stored)).toEqual(keys('D', 'DS'));
    expect(source({ AWS_PROFILE: 'p' }, '', `${stored}[p]\naws_access_key_id=P\naws_secret_access_key=PS\n`)).toEqual(
      keys('P', 'PS'),
    );
  });

  test('a profile that is asked for by name comes before the environment, and nothing stands for it', () => {
    expect(source(own, '', stored, { profile: 'default' })).toEqual(keys('D', 'DS'));
    expect(source(own, '', stored, { profile: 'q' })).toMatchObject({
      kind: 'none',
      why: expect.stringContaining("'q'") as string,
    });
    expect(source({ AWS_PROFILE: 'q' }, '', stored)).toMatchObject({ kind: 'none' });
  });

  test('a web identity, a container and an instance come after the files; the last two only where they are allowed', () => {
    const pod = { AWS_WEB_IDENTITY_TOKEN_FILE: '/t', AWS_ROLE_ARN: 'arn', AWS_REGION: 'eu-west-1' };
    expect(source(pod)).toEqual({
      kind: 'webIdentity',
      tokenFile: '/t',
      role: { arn: 'arn', session: 'ola', externalId: null, seconds: null, region: 'eu-west-1' },
    });
    expect(source(pod, '', stored)).toEqual(keys('D', 'DS'));
    expect(source(pod, '[default]\nregion = eu-west-1\n')).toMatchObject({ kind: 'webIdentity' });
    const container = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/x' };
    const url = 'http://169.254.170.2/v2/x';
    expect(source(container, '', '', { instanceMetadata: true })).toMatchObject({ kind: 'container', url });
    expect(source(container)).toMatchObject({ kind: 'none' });
    expect(source({}, '', '', { instanceMetadata: true })).toEqual({ kind: 'instance' });
    expect(source({ AWS_EC2_METADATA_DISABLED: 'TRUE' }, '', '', { instanceMetadata: true })).toMatchObject({ kind: 'none' });
    expect(source({})).toMatchObject({ kind: 'none', why: expect.stringContaining('allowInstanceMetadata') as string });
  });
});

describe('a profile', () => {
  const role =
    '[default]\nrole_arn = arn:r\nsource_profile = base\nexternal_id = e\nduration_seconds = 900\nregion = eu-west-1\n';

  test('with a role is one by the keys of its source', () => {
    const found = source({}, `${role}[profile base]\n`, '[base]\naws_access_key_id=B\naws_secret_access_key=BS\n');
    expect(found).toEqual({
      kind: 'role',
      role: { arn: 'arn:r', session: 'ola', externalId: 'e', seconds: 900, region: 'eu-west-1' },
      by: keys('B', 'BS'),
    });
  });

  test('that leads back to itself ends with its own keys, or not at all', () => {
    const circle = '[default]\nrole_arn = arn:r\nsource_profile = b\n[profile b]\nrole_arn = arn:b\nsource_profile = default\n';
    expect(source({}, circle)).toMatchObject({ kind: 'none', why: expect.stringContaining('leads back') as string });
    expect(source({}, '[default]\nrole_arn = arn:r\nsource_profile = default\n', stored)).toMatchObject({
      kind: 'role',
      by: keys('D', 'DS'),
    });
  });

  test('with a credential source takes what it names, where it is allowed', () => {
    const by = (name: string) => `[default]\nrole_arn = arn:r\ncredential_source = ${name}\n`;
    const named = { AWS_PROFILE: 'default' };
    expect(awsSource({ ...wish, profile: 'default' }, { environment: own, files: files(by('Environment')) })).toMatchObject({
      kind: 'role',
      by: keys('A', 'S'),
    });
    expect(source(named, by('Ec2InstanceMetadata'), '', { instanceMetadata: true })).toMatchObject({ by: { kind: 'instance' } });
    expect(source(named, by('Ec2InstanceMetadata'))).toMatchObject({ kind: 'none' });
  });

  test('that wants a one-time code is refused with the reason', () => {
    const found = source({ AWS_PROFILE: 'default' }, `${role}mfa_serial = arn:mfa\n`);
    expect(found).toMatchObject({ kind: 'none', why: expect.stringContaining('mfa_serial') as string });
  });

  test('with a program has the words of its command, without a shell', () => {
    const command = `[default]\ncredential_process = "/opt/a b" --x 'c d' e\\ f "g\\"h" $(rm -rf /); i\n`;
    expect(source({}, command)).toEqual({
      kind: 'process',
      program: '/opt/a b',
      options: ['--x', 'c d', 'e f', 'g"h', '$(rm', '-rf', '/);', 'i'],
    });
  });

  test('with a login has that of its session, or its own', () => {
    const login = { region: 'eu-west-1', account: '1', role: 'R' };
    const mine = 'sso_account_id = 1\nsso_role_name = R\n';
    const session = `[default]\nsso_session = s\n${mine}[sso-session s]\nsso_start_url = https://x\nsso_region = eu-west-1\n`;
    expect(source({}, session)).toEqual({ kind: 'sso', login: { ...login, cachedAs: 's' } });
    const old = `[default]\n${mine}sso_start_url = https://x\nsso_region = eu-west-1\n`;
    expect(source({}, old)).toEqual({ kind: 'sso', login: { ...login, cachedAs: 'https://x' } });
  });
});
