/** Which modules a source file names, by every way TypeScript has to name one. */
import { type Comment, parseSync } from 'oxc-parser';

export interface Import {
  /** Offset in the source. */
  readonly at: number;
  /** null: computed, so nobody can tell. */
  readonly specifier: string | null;
}

interface Source {
  readonly imports: readonly Import[];
  readonly comments: readonly Comment[];
  readonly faults: readonly { readonly at: number; readonly text: string }[];
}

/** @param path its ending says how to read it */
export function readSource(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text);
  const faults = errors.map((error) => ({ at: error.labels[0]?.start ?? 0, text: `does not parse: ${error.message}` }));
  return { imports: importsOf(program), comments, faults };
}

/** Static, type-only, re-export, dynamic, `import('x').T`, `import x = require`, require. */
function importsOf(node: unknown): Import[] {
  if (typeof node !== 'object' || node === null) return [];
  const fields = node as Record<string, unknown>;
  const below = Object.values(fields).flatMap(importsOf);
  const named = moduleNameOf(fields);
  return named === undefined ? below : [{ at: Number(fields['start']), specifier: literal(named) }, ...below];
}

/** @returns the syntax node that names the module, undefined when this node imports nothing */
function moduleNameOf(node: Readonly<Record<string, unknown>>): unknown {
  switch (node['type']) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node['source'];
    case 'ExportNamedDeclaration':
      return node['source'] ?? undefined;
    case 'TSExternalModuleReference':
      return node['expression'];
    case 'CallExpression':
      return isRequire(node['callee']) ? ((node['arguments'] as unknown[])[0] ?? null) : undefined;
    default:
      return undefined;
  }
}

/** `require(...)`, `import.meta.require(...)`. */
function isRequire(callee: unknown): boolean {
  const { type, name, property } = callee as { type: string; name?: string; property?: { name?: string; value?: unknown } };
  if (type === 'Identifier') return name === 'require';
  return type === 'MemberExpression' && (property?.name === 'require' || property?.value === 'require');
}

function literal(node: unknown): string | null {
  if (typeof node !== 'object' || node === null) return null;
  const { value, quasis } = node as { value?: unknown; quasis?: { value: { cooked: string | null } }[] };
  if (typeof value === 'string') return value;
  return quasis?.length === 1 ? (quasis[0]?.value.cooked ?? null) : null;
}
