/** A process that rotates the master key and writes secrets until it is killed, and says each step. Argument: a directory. */
import { writeSync } from 'node:fs';
import { openKeys } from './key-scene.ts';

const scene = openKeys(process.argv[2] ?? '', {}, ({ store, source }) => {
  const say = () => void writeSync(1, '.');
  const write = source.write;
  return {
    store: {
      ...store,
      config: {
        secrets: () => store.config.secrets(),
        async reseal(changes) {
          say();
          return store.config.reseal(changes);
        },
      },
      async checkpoint() {
        say();
        await store.checkpoint();
      },
    },
    source: {
      ...source,
      write(ring) {
        say();
        write?.(ring);
        say();
      },
    },
  };
});
const origin = {
  principal: { subject: 'local', tokenId: null, project: null, scopes: [] },
  requestId: null,
  clientIp: null,
  userAgent: null,
};
for (let n = 0; ; n++) {
  await Promise.all([scene.keys.rotate(origin), scene.fill(1, `${process.pid}-${n}-`)]);
}
