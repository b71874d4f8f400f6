import { createServer } from 'node:http'
import { createSchema, createYoga } from 'graphql-yoga'
import { Pool } from 'undici'
import { loadersOver, resolversOver, typeDefs, vendorsOver } from './schema.mjs'

const vendors = vendorsOver(Pool)
const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers: resolversOver(vendors) }),
  context: () => ({ loaders: loadersOver(vendors) }),
  logging: false,
  graphiql: false,
  landingPage: false,
})
createServer(yoga).listen(Number(process.env.PORT), '127.0.0.1')
