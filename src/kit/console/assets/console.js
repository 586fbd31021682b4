// What a page does that its address does not say: pausing the list, keeping it short, keys. Without it all can be read.
const rows = document.querySelector('#rows');
const state = document.querySelector('#state');
const pause = document.querySelector('#pause');
const MOST_ROWS = 2_000;

let paused = false;
let held = 0;

function tellState() {
  if (paused) state.textContent = held === 0 ? 'Paused.' : `Paused; ${held} changes since.`;
  else state.textContent = 'Live, newest first; times are UTC.';
}

function togglePause() {
  if (pause.hidden) return;
  // What came meanwhile is in the page as it is now.
  if (paused && held > 0) location.reload();
  paused = !paused;
  pause.textContent = paused ? 'Go on' : 'Pause';
  pause.setAttribute('aria-pressed', String(paused));
  tellState();
}

if (rows?.hasAttribute('hx-sse:connect')) {
  pause.hidden = false;
  pause.addEventListener('click', togglePause);
  document.addEventListener('htmx:sse:after:connection', tellState);
  let focused = '';
  document.addEventListener('htmx:sse:before:message', (event) => {
    focused = rows.contains(document.activeElement) ? document.activeElement.closest('li').id : '';
    if (!paused) return;
    event.preventDefault();
    held += 1;
    tellState();
  });
  document.addEventListener('htmx:sse:after:message', () => {
    // A row that has changed is another element.
    if (focused !== '' && document.activeElement === document.body)
      document.getElementById(focused)?.querySelector('a')?.focus();
    while (rows.childElementCount > MOST_ROWS) rows.lastElementChild.remove();
  });
  for (const name of ['htmx:sse:error', 'htmx:sse:close'])
    document.addEventListener(name, () => {
      state.textContent = 'Not connected; it is tried again.';
    });
}

// Whoever is about to do something must not have it taken away.
document.addEventListener('htmx:before:request', (event) => {
  const polled = event.target.closest?.('#now');
  if (polled?.querySelector('details.ask[open]') || polled?.contains(document.activeElement))
    event.preventDefault();
});

// A choice is shown at once.
document.querySelector('form.filters')?.addEventListener('change', (event) => {
  if (event.target instanceof HTMLSelectElement) event.target.form.requestSubmit();
});

function step(by) {
  const links = [...document.querySelectorAll('#rows a')];
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
}

const KEYS = {
  '/': () => document.querySelector('#search')?.focus(),
  j: () => step(1),
  k: () => step(-1),
  p: togglePause,
};

document.addEventListener('keydown', (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, textarea, select')) return;
  if (!Object.hasOwn(KEYS, key)) return;
  event.preventDefault();
  KEYS[key]();
});
