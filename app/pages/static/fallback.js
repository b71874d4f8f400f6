// GraphiQL 4 from a public network over this gateway, with its first examples in tabs and its key filled in.
const page = JSON.parse(document.getElementById('page').textContent);
const url = new URL(page.endpoint, location.href);
const socket = Object.assign(new URL(url), { protocol: url.protocol.replace('http', 'ws') });
const headers = page.headers ? JSON.stringify(page.headers, null, 2) : undefined;
const tabs = page.tabs
  .map((name) => page.examples.find((each) => each.name === name))
  .filter(Boolean)
  .map((example) => ({ query: example.query, variables: example.variables, headers }));

if (globalThis.GraphiQL) {
  const root = ReactDOM.createRoot(document.getElementById('graphiql'));
  root.render(
    React.createElement(GraphiQL, {
      fetcher: GraphiQL.createFetcher({ url: url.href, subscriptionUrl: socket.href }),
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
      defaultTabs: tabs,
      defaultHeaders: headers,
      defaultEditorToolsVisibility: 'variables',
    }),
  );
}
