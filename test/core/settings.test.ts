import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../src/core/errors.ts';
import { readSettings, secretVariables } from '../../src/core/settings.ts';

const flags = [
  ['OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS', 'everyProviderLocal'],
  ['OPEN_LLM_AUTH_ALLOW_INSECURE_EGRESS_HTTP', 'insecureHttp'],
  ['OPEN_LLM_AUTH_ALLOW_ANON', 'allowAnonymous'],
  ['DISABLE_AUTH', 'disableAuth'],
] as const;
const tokens = [
  ['OPEN_LLM_AUTH_TOKEN', 'adminToken'],
  ['LLM_INTERACTIVE_PROXY_API_KEY', 'proxyKey'],
] as const;

function refusal(environment: Record<string, string>): OlaError {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof OlaError) return error;
  }
  throw new Error('it was accepted');
}

describe('the environment', () => {
  test('that says nothing opens nothing', () => {
    expect(readSettings({})).toEqual({
      home: null,
      databasePath: null,
      adminToken: null,
      proxyKey: null,
      masterKey: { file: undefined, value: undefined },
      envReferences: [],
      everyProviderLocal: false,
      insecureHttp: false,
      allowAnonymous: false,
      disableAuth: false,
    });
  });

  test('gives texts without the white space around them; an empty one is none', () => {
    expect(readSettings({ OPEN_LLM_AUTH_HOME: ' /srv/ola\n' }).home).toBe('/srv/ola');
    expect(readSettings({ OPEN_LLM_AUTH_HOME: '  ' }).home).toBeNull();
    expect(readSettings({ OPEN_LLM_AUTH_DB_PATH: ' state.sqlite3 ' }).databasePath).toBe('state.sqlite3');
    expect(readSettings({ OPEN_LLM_AUTH_DB_PATH: '' }).databasePath).toBeNull();
  });

  test('gives the master key as it stands: what is set and empty is not the same as what is not set', () => {
    const { masterKey } = readSettings({ OPEN_LLM_AUTH_MASTER_KEY: '', OPEN_LLM_AUTH_MASTER_KEY_FILE: ' k' });
    expect(masterKey).toEqual({ file: ' k', value: '' });
  });
});

describe('a list of variables', () => {
  const named = (text: string) => readSettings({ OPEN_LLM_AUTH_ENV_REFERENCES: text }).envReferences;

  test('is names between commas or spaces', () => {
    expect(named('A_KEY, my_key,B2  C')).toEqual(['A_KEY', 'my_key', 'B2', 'C']);
    expect(named(' ')).toEqual([]);
  });

  test('with anything else in it is refused without repeating it', () => {
    for (const text of ['A=CANARY', '$CANARY', '1CANARY', 'CANARY;B']) {
      const { message, facts } = refusal({ OPEN_LLM_AUTH_ENV_REFERENCES: text });
      expect([message.includes('OPEN_LLM_AUTH_ENV_REFERENCES'), message.includes('CANARY'), facts.param]).toEqual([
        true,
        false,
        'OPEN_LLM_AUTH_ENV_REFERENCES',
      ]);
    }
  });
});

describe('a switch', () => {
  for (const [variable, field] of flags) {
    test(`${variable} is on for each word of yes, off for each word of no, in any case`, () => {
      for (const word of ['1', 'true', 'yes', 'on', 'TRUE', 'Yes', ' on ']) {
        expect(readSettings({ [variable]: word })[field]).toBe(true);
      }
      for (const word of ['0', 'false', 'no', 'off', 'FALSE', 'Off', '', ' ']) {
        expect(readSettings({ [variable]: word })[field]).toBe(false);
      }
    });

    test(`${variable} refuses any other word and names the variable`, () => {
      for (const word of ['2', 'y', 'n', 'enabled', 'ture', '1 1', 'null']) {
        const { message, code, facts } = refusal({ [variable]: word });
        expect(code).toBe('invalid_field');
        expect(message).toStartWith(`${variable} `);
        expect(facts.param).toBe(variable);
      }
    });
  }
});

describe('a token of the environment', () => {
  for (const [variable, field] of tokens) {
    test(`${variable} is taken without the white space around it`, () => {
      expect(readSettings({ [variable]: ' s3cret-Token.~+/=\n' })[field]).toBe('s3cret-Token.~+/=');
    });

    test(`${variable} that no header could carry is refused by name, without showing it`, () => {
      for (const value of ['two words', 'a,b', 'schlüssel', 'a\tb', 'a\u0000b', 'a\nb', 'a\u007fb']) {
        const { message, facts } = refusal({ [variable]: value });
        expect(facts.param).toBe(variable);
        expect(message).toStartWith(`${variable} `);
        expect(message).not.toContain(value);
      }
    });
  }

  test('is among the variables that are taken out of the environment', () => {
    for (const name of [...tokens.map(([variable]) => variable), 'OPEN_LLM_AUTH_MASTER_KEY']) {
      expect(secretVariables).toContain(name);
    }
  });
});
