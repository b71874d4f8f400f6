// Where Monaco finds its workers: files of this server, so that the page's policy need allow no other source.
const NAMES = { json: 'json-worker', graphql: 'graphql-worker' };

globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(`${NAMES[label] ?? 'editor-worker'}.js`, import.meta.url), { name: label }),
};
