// Asks one query and follows one subscription with a client library, as its users do: node follow.mjs CLIENT URL KEY KEY_OF_THE_WRITE
// Prints one JSON line for each thing that the client hands on.
import { createClient as createWsClient } from "graphql-ws";
import { createClient as createSseClient } from "graphql-sse";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import WebSocket from "ws";

const [client, url, key, idempotencyKey] = process.argv.slice(2);
const headers = { authorization: `Bearer ${key}` };
const query = "{ viewer { name } }";
const subscription = "subscription ($by: ReceiptRef!) { receiptChanged(by: $by) { state } }";
const variables = { by: { idempotencyKey } };

const say = (what) => console.log(JSON.stringify(what, (name, value) => (name === "__typename" ? undefined : value))); // Apollo's own
const fail = (error) => {
  say({ error: String(error?.message ?? error) });
  process.exit(1);
};
const openWs = () =>
  createWsClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, connectionParams: headers, retryAttempts: 0 });

/** Follows with graphql-ws or graphql-sse, which share one interface. */
function follow(opened) {
  return new Promise((done) =>
    opened.subscribe({ query: subscription, variables }, { next: ({ data }) => say(data), error: fail, complete: done }),
  );
}

async function withWs() {
  const opened = openWs();
  for await (const { data } of opened.iterate({ query })) say(data);
  await follow(opened);
  await opened.dispose();
}

const withSse = () => follow(createSseClient({ url, headers, retryAttempts: 0 }));

async function withApollo() {
  const socket = openWs();
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: url, headers }),
  );
  const apollo = new ApolloClient({ link, cache: new InMemoryCache() });
  say((await apollo.query({ query: gql(query) })).data);
  await new Promise((done) =>
    apollo
      .subscribe({ query: gql(subscription), variables })
      .subscribe({ next: ({ data, error }) => (error ? fail(error) : say(data)), error: fail, complete: done }),
  );
  apollo.stop();
  await socket.dispose();
}

async function withUrql(settings, exchanges) {
  const urql = new Client({ url, fetchOptions: { headers }, exchanges, ...settings });
  const { data, error } = await urql.query(query, {}).toPromise();
  error ? fail(error) : say(data);
  let unsubscribe;
  await new Promise((done) => {
    unsubscribe = urql.subscription(subscription, variables).subscribe((result) => {
      result.error ? fail(result.error) : say(result.data);
      if (result.data?.receiptChanged.state === "FAILED") done(); // urql does not tell of the end
    }).unsubscribe;
  });
  unsubscribe();
}

async function withUrqlOverWs() {
  const socket = openWs();
  const forward = ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
  });
  await withUrql({}, [fetchExchange, subscriptionExchange({ forwardSubscription: forward })]);
  await socket.dispose();
}

const withUrqlOverFetch = () => withUrql({ fetchSubscriptions: true }, [fetchExchange]);

const ways = {
  "graphql-ws": withWs,
  "graphql-sse": withSse,
  apollo: withApollo,
  urql: withUrqlOverWs,
  "urql-fetch": withUrqlOverFetch,
};
await ways[client]().catch(fail);
say("complete");
process.exit(0);
