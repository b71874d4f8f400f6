// graphql-eslint's schema rules, all of them but the accepted exceptions.
import graphql from '@graphql-eslint/eslint-plugin';

const accepted = {
  '@graphql-eslint/alphabetize': 'off', // what belongs together stands together
  '@graphql-eslint/no-root-type': 'off', // there are queries, mutations and subscriptions
  '@graphql-eslint/no-typename-prefix': 'off', // a Receipt's events are ReceiptEvents, as in the vendors' words
  '@graphql-eslint/require-field-of-type-query-in-mutation-result': 'off', // clients read on by ID
  '@graphql-eslint/strict-id-in-types': 'off', // connections, edges and payloads are no records
};

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: process.env.SCHEMA } } },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...graphql.configs['flat/schema-all'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }], // pages are read forwards
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }], // short lists have no pages
      ...accepted,
    },
  },
];
