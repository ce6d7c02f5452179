/**
 * The files that AWS's own tools share, `~/.aws/config` and `~/.aws/credentials`
 * (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html). Pure.
 */

/** The settings of a section by name, in lower case. */
export type AwsSection = ReadonlyMap<string, string>;

export interface AwsFiles {
  readonly profiles: ReadonlyMap<string, AwsSection>;
  readonly ssoSessions: ReadonlyMap<string, AwsSection>;
}

/** Of a setting that stands in both files the one of `credentials` counts. @param config null: there is no such file */
export function parseAwsFiles(config: string | null, credentials: string | null): AwsFiles {
  const profiles = new Map<string, AwsSection>();
  const ssoSessions = new Map<string, AwsSection>();
  for (const [title, section] of sectionsOf(config ?? '')) {
    const [, kind, name] = /^(?:(profile|sso-session)\s+)?(.+)$/.exec(title) ?? [];
    if (name === undefined) continue;
    if (kind === 'sso-session') ssoSessions.set(name, section);
    else if (kind === 'profile' || name === 'default') profiles.set(name, over(section, profiles.get(name)));
  }
  for (const [name, section] of sectionsOf(credentials ?? '')) profiles.set(name, over(section, profiles.get(name)));
  return { profiles, ssoSessions };
}

function over(section: AwsSection, under: AwsSection | undefined): AwsSection {
  return under === undefined ? section : new Map([...under, ...section]);
}

function sectionsOf(text: string): (readonly [title: string, section: AwsSection])[] {
  const sections: (readonly [string, Map<string, string>])[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    // A line that begins with a blank goes on with the setting above, which none that is read here has.
    if (/^\s*(?:[#;]|$)/.test(line) || /^\s/.test(line)) continue;
    const title = /^\[([^\]]*)\]/
      .exec(line)?.[1]
      ?.trim()
      .replaceAll(/^(\S+)(\s+)"(.*)"$/g, '$1$2$3');
    if (title !== undefined) sections.push([title, new Map()]);
    else {
      const [, name, value] = /^([^=]*)=(.*)$/.exec(line) ?? [];
      if (name !== undefined) sections.at(-1)?.[1].set(name.trim().toLowerCase(), withoutComment(value ?? ''));
    }
  }
  return sections;
}

/** A comment behind a value begins with a blank. */
function withoutComment(value: string): string {
  return value.replace(/\s[#;].*$/, '').trim();
}
