// Keeps the gateway key in this tab and shows what the server makes of the page's address with it.
const STORED = 'switchboard.key';
const UNSENDABLE =
  '<p class="wrong" role="alert">Send a valid gateway key: it has no spaces, and no characters but ASCII’s.</p>';
const element = (id) => document.getElementById(id);
let turn = 0; // of the latest attempt: what comes in for an earlier one is not shown

async function show(mine) {
  const key = sessionStorage.getItem(STORED);
  element('sign-in').hidden = Boolean(key);
  element('sign-out').hidden = !key;
  if (!key) return element('part').replaceChildren();
  const answer = await fetch(`/receipts/writes${location.search}`, { headers: { authorization: `Bearer ${key}` } });
  const shown = await answer.text();
  if (mine !== turn) return;
  if (answer.status === 401) sessionStorage.removeItem(STORED);
  element('sign-in').hidden = answer.status !== 401;
  element('sign-out').hidden = answer.status === 401;
  element('part').innerHTML = shown; // escaped where it was made, and without scripts by policy
}

function go(search) {
  history.pushState(null, '', `/receipts${search}`);
  return attempt();
}

function attempt() {
  const mine = ++turn;
  return show(mine).catch(() => {
    if (mine === turn) element('part').textContent = 'The gateway does not answer. Try again in a moment.';
  });
}

element('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  const key = element('key').value.trim();
  if (!/^[!-~]+$/.test(key)) {
    element('part').innerHTML = UNSENDABLE;
    return;
  }
  sessionStorage.setItem(STORED, key);
  attempt();
});

element('sign-out').addEventListener('click', () => {
  sessionStorage.removeItem(STORED);
  element('key').value = '';
  attempt();
});

element('part').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = element('find-text').value.trim();
  go(text ? `?${new URLSearchParams({ find: text })}` : '');
});

element('part').addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="/receipts"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(new URL(link.href).search);
});

addEventListener('popstate', attempt);
attempt();
