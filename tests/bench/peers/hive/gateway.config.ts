import { defineConfig } from '@graphql-hive/gateway'

const people = Array.from({ length: 100 }, (_, number) => {
  const digits = String(number).padStart(3, '0')
  return {
    id: `person-${digits}`,
    displayName: `Person ${digits}`,
    name: `Person ${digits}`,
    linkedinProfileUrl: `https://www.linkedin.com/in/person-${digits}`,
    createdAt: '2026-01-15T10:30:00.000Z',
  }
})

export const gatewayConfig = defineConfig({
  supergraph: './supergraph.graphql',
  jit: true,
  logging: false,
  graphiql: false,
  landingPage: false,
  additionalResolvers: {
    Query: { people: (_: unknown, { first }: { first: number }) => ({ nodes: people.slice(0, first) }) },
  } as any,
})
