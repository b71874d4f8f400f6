// A menu of the gateway's own operations: each opens in a tab of its own, with variables that fit the demo world.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';

const TITLES = { query: 'Reads', mutation: 'Writes', subscription: 'Subscriptions' };

export function examplesPlugin(examples, headers) {
  return { title: 'Examples', icon: Icon, content: () => <Menu examples={examples} headers={headers} /> };
}

function Menu({ examples, headers }) {
  const open = useOpen(headers);
  return (
    <section className="examples">
      <h2>Examples</h2>
      {Object.entries(TITLES).map(([kind, title]) => (
        <Group key={kind} title={title} examples={examples.filter((each) => each.kind === kind)} open={open} />
      ))}
    </section>
  );
}

function Group({ title, examples, open }) {
  if (examples.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {examples.map((each) => (
          <li key={each.name}>
            <button type="button" disabled={!open} onClick={() => open(each)}>
              <code>{each.name}</code>
              <span>{each.description}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function useOpen(headers) {
  const { addTab } = useGraphiQLActions();
  const query = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  const header = useGraphiQL((state) => state.headerEditor);
  if (!query || !variables || !header) return undefined; // the editors are still loading
  return (example) => {
    const kept = header.getValue() || headers; // whoever has typed a key keeps it
    addTab();
    query.setValue(example.query);
    variables.setValue(example.variables ?? '');
    header.setValue(kept ?? '');
  };
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" height="1em" aria-hidden="true">
      <path d="M4 5h16M4 12h16M4 19h10" strokeLinecap="round" />
    </svg>
  );
}
