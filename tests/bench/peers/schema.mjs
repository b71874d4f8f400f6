// The part of this gateway's schema that the benchmark asks for, over the same upstream answers: for Yoga, Mercurius and node.
import DataLoader from 'dataloader'

export const typeDefs = /* GraphQL */ `
  input ContactBy { id: ID }
  input CreateContactInput { displayName: String!, emailAddresses: [String!] }
  type Query {
    contact(by: ContactBy!): Contact
    contacts(first: Int = 20, after: String): ContactConnection!
    people(first: Int = 20): PersonConnection!
  }
  type Mutation { createContact(input: CreateContactInput!): CreateContactPayload! }
  type ContactConnection { nodes: [Contact!]! }
  type ContactMethodConnection { nodes: [ContactMethod!]! }
  type ActivityConnection { nodes: [Activity!]! }
  type PersonConnection { nodes: [Person!]! }
  type Contact {
    id: ID!
    displayName: String
    emailAddresses: [String!]!
    identifierCount: Int
    listIds: [ID!]!
    accountIds: [ID!]!
    companyRefs: [String!]!
    isAnonymous: Boolean
    createdAt: String
    updatedAt: String
    contactMethods(first: Int = 20): ContactMethodConnection
    activities(first: Int = 20): ActivityConnection
  }
  enum ContactMethodType { EMAIL PHONE MOBILE FAX OTHER }
  type ContactMethod {
    id: ID!
    type: ContactMethodType
    value: String!
    isPrimary: Boolean!
    label: String
    createdAt: String
  }
  type Activity { id: ID!, subject: String, type: String, status: String, priority: String, createdAt: String }
  type Person { id: ID!, displayName: String, name: String, linkedinProfileUrl: String, createdAt: String }
  type CreateContactPayload { contact: Contact, errors: [Problem!]!, receipt: Receipt }
  type Problem { code: String! }
  type Receipt { state: String! }
`

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

const attribute = (name) => (activity) => activity.attributes[name].value

// Calls the vendors as this gateway does: kept connections, no pipelining, as many at a time as are needed.
export function vendorsOver(Pool) {
  const { VENDORS, WORKSPACE } = process.env
  const pool = new Pool(VENDORS, { connections: 100, pipelining: 1 })
  const contacts = `/workspaces/${WORKSPACE}/contacts`
  const read = async ({ statusCode, body }) => {
    if (statusCode < 300) return body.json()
    await body.dump()
    throw new Error(`upstream: ${statusCode}`)
  }
  const accept = { accept: 'application/json' }
  const get = (path) => pool.request({ path, method: 'GET', headers: accept }).then(read)
  const headers = { ...accept, 'content-type': 'application/json' }
  const post = (path, body) => pool.request({ path, method: 'POST', headers, body: JSON.stringify(body) }).then(read)
  return {
    contact: (id) => get(`${contacts}/${id}`),
    contacts: (limit, token) => get(`${contacts}?limit=${limit}${token ? `&pageToken=${token}` : ''}`),
    methods: (clientId, limit) => post('/contact-methods/list', { filter: { clientId }, limit }),
    activities: (contactId, limit) => post('/api/v2/activity/_query', { contact_id: contactId, limit }),
    create: ({ displayName, emailAddresses }) => {
      const identifiers = emailAddresses?.map((value) => ({ key: 'emailaddress', value }))
      return post(contacts, { displayName, identifiers })
    },
  }
}

// One batch of keys is one call each, as this gateway makes them.
const loader = (load) =>
  new DataLoader((keys) => Promise.all(keys.map(load)), { cacheKeyFn: ({ id, first }) => `${id} ${first}` })

export const loadersOver = (vendors) => ({
  methods: loader(({ id, first }) => vendors.methods(id, first)),
  activities: loader(({ id, first }) => vendors.activities(id, first)),
})

export const resolversOver = (vendors) => ({
  Query: {
    contact: (_, { by }) => vendors.contact(by.id),
    contacts: async (_, { first, after }) => ({ nodes: (await vendors.contacts(first, after)).results }),
    people: (_, { first }) => ({ nodes: people.slice(0, first) }),
  },
  Mutation: {
    createContact: async (_, { input }) => ({
      contact: await vendors.create(input),
      errors: [],
      receipt: { state: 'SUCCEEDED' },
    }),
  },
  Contact: {
    displayName: (contact) => contact.computedDisplayName,
    emailAddresses: (contact) => contact.attributes.emailaddress,
    contactMethods: async (contact, { first }, { loaders }) => ({
      nodes: (await loaders.methods.load({ id: contact.attributes.client, first })).data,
    }),
    activities: async (contact, { first }, { loaders }) => ({
      nodes: (await loaders.activities.load({ id: contact.attributes.reevo, first })).data,
    }),
  },
  Activity: {
    subject: attribute('display_name'),
    type: attribute('type'),
    status: attribute('status'),
    priority: attribute('priority'),
    createdAt: (activity) => activity.created_at,
  },
})
