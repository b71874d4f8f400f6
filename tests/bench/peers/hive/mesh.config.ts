import { defineConfig } from '@graphql-mesh/compose-cli'
import { loadOpenAPISubgraph } from '@omnigraph/openapi'

const query = (fieldName: string) => ({ fieldName, type: 'query' as const })

export const composeConfig = defineConfig({
  subgraphs: [
    {
      sourceHandler: loadOpenAPISubgraph('vendors', {
        source: './openapi.json',
        endpoint: process.env.VENDORS,
        selectQueryOrMutationField: [query('methodsOf'), query('activitiesOf')] as any,
      }),
    },
  ],
  additionalTypeDefs: /* GraphQL */ `
    type Person { id: ID!, displayName: String, name: String, linkedinProfileUrl: String, createdAt: String }
    type PersonConnection { nodes: [Person!]! }
    extend type Query { people(first: Int = 20): PersonConnection! }
    extend type Contact {
      contactMethods: ContactMethods
        @resolveTo(
          sourceName: "vendors"
          sourceTypeName: "Query"
          sourceFieldName: "methodsOf"
          requiredSelectionSet: "{ attributes { client } }"
          sourceArgs: { input: { filter: { clientId: "{root.attributes.client}" }, limit: 20 } }
        )
      activities: Activities
        @resolveTo(
          sourceName: "vendors"
          sourceTypeName: "Query"
          sourceFieldName: "activitiesOf"
          requiredSelectionSet: "{ attributes { reevo } }"
          sourceArgs: { input: { contact_id: "{root.attributes.reevo}", limit: 20 } }
        )
    }
  `,
})
