// What Hive Gateway is told of the vendors: only what the benchmark asks for. `node openapi.mjs` writes openapi.json.
import { writeFileSync } from 'node:fs'

const { VENDORS, WORKSPACE } = process.env
const text = { type: 'string' }
const whole = { type: 'integer' }
const flag = { type: 'boolean' }
const list = (items) => ({ type: 'array', items })
const object = (properties, required = []) => ({ type: 'object', properties, required })
const schema = (name) => ({ $ref: `#/components/schemas/${name}` })
const json = (name) => ({ content: { 'application/json': { schema: schema(name) } } })
const answer = (status, name) => ({ responses: { [status]: { description: 'ok', ...json(name) } } })
const body = (name) => ({ requestBody: { required: true, ...json(name) } })
const inQuery = (name, type) => ({ name, in: 'query', schema: type })
const enveloped = object({ value: text })

const document = {
  openapi: '3.0.3',
  info: { title: 'vendors', version: '1' },
  servers: [{ url: VENDORS }],
  paths: {
    [`/workspaces/${WORKSPACE}/contacts/{id}`]: {
      get: {
        operationId: 'contact',
        parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
        ...answer(200, 'Contact'),
      },
    },
    [`/workspaces/${WORKSPACE}/contacts`]: {
      get: {
        operationId: 'contacts',
        parameters: [inQuery('limit', whole), inQuery('pageToken', text)],
        ...answer(200, 'Contacts'),
      },
      post: { operationId: 'createContact', ...body('NewContact'), ...answer(201, 'Contact') },
    },
    '/contact-methods/list': {
      post: { operationId: 'methodsOf', ...body('Listing'), ...answer(200, 'ContactMethods') },
    },
    '/api/v2/activity/_query': {
      post: { operationId: 'activitiesOf', ...body('ActivityQuery'), ...answer(200, 'Activities') },
    },
  },
  components: {
    schemas: {
      Contact: object(
        {
          id: text,
          computedDisplayName: text,
          attributes: object({ emailaddress: list(text), client: text, reevo: text }),
          identifierCount: whole,
          listIds: list(text),
          accountIds: list(text),
          companyRefs: list(text),
          isAnonymous: flag,
          createdAt: text,
          updatedAt: text,
        },
        ['id'],
      ),
      Contacts: object({ results: list(schema('Contact')) }),
      NewContact: object({ displayName: text, emailAddresses: list(text) }),
      Listing: object({ filter: object({ clientId: text }), limit: whole }),
      ContactMethods: object({ data: list(schema('ContactMethod')) }),
      ContactMethod: object({ id: text, type: text, value: text, isPrimary: flag, label: text, createdAt: text }),
      ActivityQuery: object({ contact_id: text, limit: whole }),
      Activities: object({ data: list(schema('Activity')) }),
      Activity: object({
        id: text,
        attributes: object({ display_name: enveloped, type: enveloped, status: enveloped, priority: enveloped }),
        created_at: text,
      }),
    },
  },
}
writeFileSync('openapi.json', JSON.stringify(document))
