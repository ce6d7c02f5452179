/** Schemas that answers of several routes share. One with an `$id` is a component of the reference under that name. */
import { Type } from '@sinclair/typebox';

export const ok = Type.Literal('ok');

export const time = (description: string) => Type.String({ format: 'date-time', description });
export const timeOrNull = (description: string) => Type.Union([time(description), Type.Null()], { description });

const warning = Type.Object(
  {
    path: Type.String({ description: 'the field, dotted' }),
    reason: Type.String({ description: 'why ola does not act on it, or what was changed in it' }),
  },
  {
    $id: 'Warning',
    description: 'A field that may be a mistake, that ola changed, or that this version keeps and does not act on.',
  },
);
export const warnings = Type.Array(warning, { description: 'absent when there are none' });

/** The answer to a write. */
export const written = Type.Object({ status: ok, warnings: Type.Optional(warnings) });
export const deleted = Type.Object({ status: ok, deleted: Type.String({ description: 'the id or name of what was deleted' }) });

/** The use-case checks what a name may hold, and refuses it in the same words when it stands in a path. */
export const snapshotName = Type.String({ description: '1 to 128 characters, no `/`, no `\\`, no `..`' });

export const missing = Type.Array(Type.String(), { description: 'dotted paths of the secrets that are left out' });

/** A credential as calls, cooldowns and explanations name it. */
export const credential = Type.String({
  description: 'the id of an auth profile, `env:NAME` for a variable, `provider-config:PROVIDER` for the key of a provider',
});
