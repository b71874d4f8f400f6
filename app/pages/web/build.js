// Bundles GraphiQL and Monaco's workers into the folder that is given, for the gateway to serve as its own files.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

// graphiql/style.css holds Monaco's styles; Monaco's own would come a second time.
const monacoStyles = {
  name: 'monaco-styles',
  setup: ({ onLoad }) => onLoad({ filter: /monaco-editor.*\.css$/ }, () => ({ contents: '', loader: 'css' })),
};

const target = resolve(process.argv[2] ?? 'assets');
const MADE = /^((graphiql|chunk-[0-9A-Z]+|(editor|graphql|json)-worker)\.(js|css)(\.LEGAL\.txt)?|built\.json)$/;

const common = {
  bundle: true,
  minify: true,
  target: 'es2022',
  legalComments: 'linked',
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"' },
  outdir: target,
};

// Only what an earlier build made is removed: a folder that was named by mistake stays as it is.
await mkdir(target, { recursive: true });
const before = await readdir(target);
const foreign = before.find((name) => !MADE.test(name));
if (foreign !== undefined) {
  console.error(`${target} holds ${foreign}, which no build of GraphiQL made: name another folder.`);
  process.exit(1);
}
for (const name of before) await rm(join(target, name));

await build({
  ...common,
  entryPoints: { graphiql: 'graphiql.jsx' },
  format: 'esm',
  splitting: true,
  // GraphiQL's Prettify imports these by old names, of CommonJS files, whose exports are lost where bundles are split.
  alias: { 'prettier/parser-graphql': 'prettier/plugins/graphql', 'prettier/parser-babel': 'prettier/plugins/babel' },
  jsx: 'automatic',
  chunkNames: 'chunk-[hash]',
  plugins: [monacoStyles],
});
await build({
  ...common,
  entryPoints: {
    'editor-worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'graphql-worker': 'monaco-graphql/esm/graphql.worker.js',
    'json-worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
  },
  format: 'iife',
});

// Last, so that a build that was cut off is not taken for one.
const { version } = createRequire(import.meta.url)('graphiql/package.json');
await writeFile(join(target, 'built.json'), JSON.stringify({ graphiql: version }) + '\n');
