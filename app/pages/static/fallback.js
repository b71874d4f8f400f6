// GraphiQL 4 from a public network over this gateway, with its first examples in tabs and its key filled in.
const page = JSON.parse(document.getElementById('page').textContent);
const url = new URL(page.endpoint, location.href);
const socket = Object.assign(new URL(url), { protocol: url.protocol.replace('http', 'ws') });
const headers = page.headers ? JSON.stringify(page.headers, null, 2) : undefined;

// GraphiQL 4 shows its first tab without the tab's variables: the first is to be one that needs none.
const tabs = page.tabs
  .toReversed()
  .map((name) => page.examples.find((each) => each.name === name))
  .filter(Boolean)
  .map((example) => ({ query: example.query, variables: example.variables, headers }));

if (globalThis.GraphiQL) {
  const ask = GraphiQL.createFetcher({ url: url.href, subscriptionUrl: socket.href });
  // It asks for the schema before it knows of any headers.
  const fetcher = (operation, options = {}) =>
    ask(operation, { ...options, headers: options.headers ?? page.headers ?? undefined });
  const root = ReactDOM.createRoot(document.getElementById('graphiql'));
  root.render(
    React.createElement(GraphiQL, {
      fetcher,
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
      defaultTabs: tabs,
      defaultHeaders: headers,
      defaultEditorToolsVisibility: 'variables',
    }),
  );
}
