import { graphql } from 'react-relay';

// A list that reads on as Relay does: by @connection and @refetchable, through Query and through Node.
graphql`
  query listsQuery($count: Int!, $cursor: String, $id: ID!) {
    ...lists_contacts
    node(id: $id) {
      ...lists_activities @alias(as: "contact")
    }
  }
`;

graphql`
  fragment lists_contacts on Query @refetchable(queryName: "listsContactsQuery") {
    contacts(first: $count, after: $cursor) @connection(key: "lists_contacts") {
      edges {
        node {
          id
          displayName
        }
      }
    }
  }
`;

graphql`
  fragment lists_activities on Contact @refetchable(queryName: "listsActivitiesQuery") {
    activities(first: $count, after: $cursor) @connection(key: "lists_activities") {
      edges {
        node {
          id
          subject
        }
      }
    }
  }
`;
