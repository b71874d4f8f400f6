// GraphiQL over this gateway: its examples as a menu, its key filled in, subscriptions over WebSocket.
import './workers.js';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './graphiql.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { useGraphiQL, useMonaco } from '@graphiql/react';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { useEffect } from 'react';
import { createRoot } from 'react-dom/client';

import { examplesPlugin } from './examples.jsx';

const page = JSON.parse(document.getElementById('page').textContent);
const url = new URL(page.endpoint, location.href);
const socket = Object.assign(new URL(url), { protocol: url.protocol.replace('http', 'ws') });
const headers = page.headers ? JSON.stringify(page.headers, null, 2) : undefined;

// Each subscription has a connection of its own, with its tab's headers; once refused (44xx), it is not tried again.
const ask = (operation, options) => {
  const shouldRetry = ({ code }) => code < 4400;
  const wsClient = createClient({ url: socket.href, connectionParams: options.headers, shouldRetry });
  return createGraphiQLFetcher({ url: url.href, wsClient })(...parsed(operation, options));
};

// GraphiQL parses a moment after it was edited: what is run before that would be sent as whatever stood there before.
function parsed(operation, options) {
  try {
    const documentAST = parse(operation.query);
    const found = documentAST.definitions.filter(({ kind }) => kind === 'OperationDefinition');
    const operationName = found.length === 1 ? found[0].name?.value : operation.operationName;
    return [{ ...operation, operationName }, { ...options, documentAST }];
  } catch {
    return [operation, options]; // the gateway says what is wrong
  }
}

// GraphiQL asks for the schema before its editors are there, and so before it knows of any headers.
const fetcher = (operation, options = {}) => {
  if (operation.operationName !== 'IntrospectionQuery' || options.headers) return ask(operation, options);
  if (page.headers) return ask(operation, { ...options, headers: page.headers });
  throw new Error('No gateway key yet. Write {"authorization": "Bearer …"} under Headers and re-fetch the schema.');
};
const plugins = [examplesPlugin(page.examples, headers), explorerPlugin(), HISTORY_PLUGIN];
const tabs = page.tabs
  .map((name) => page.examples.find((each) => each.name === name))
  .filter(Boolean)
  .map((example) => ({ query: example.query, variables: example.variables, headers }));

// GraphiQL opens its first tab without the variables that it was given with.
function Title() {
  const editor = useGraphiQL((state) => state.variableEditor);
  const variables = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.variables);
  useEffect(() => {
    if (editor && variables && !editor.getValue()) editor.setValue(variables);
  }, [editor]);
  // The JSON schema that GraphiQL makes of variables wants fields that have a default, and no objects for the scalar JSON.
  const graphql = useMonaco((state) => state.monacoGraphQL);
  useEffect(() => {
    if (graphql) graphql.diagnosticSettings.jsonDiagnosticSettings.schemaValidation = 'ignore';
  }, [graphql]);
  return 'switchboard';
}

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={plugins}
    visiblePlugin={plugins[0]}
    defaultTabs={tabs}
    defaultHeaders={headers}
    defaultEditorToolsVisibility="variables"
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      <Title />
    </GraphiQL.Logo>
  </GraphiQL>,
);
