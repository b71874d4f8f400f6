import Fastify from 'fastify'
import mercurius from 'mercurius'
import { Pool } from 'undici'
import { loadersOver, resolversOver, typeDefs, vendorsOver } from './schema.mjs'

const vendors = vendorsOver(Pool)
const app = Fastify()
app.register(mercurius, {
  schema: typeDefs,
  resolvers: resolversOver(vendors),
  jit: 1,
  context: () => ({ loaders: loadersOver(vendors) }),
})
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
