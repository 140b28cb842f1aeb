// The three views: all runs, the runs of a cell, a run; the address says
// which one is shown.
const view = {
  matrix: document.getElementById('view-matrix'),
  cell: document.getElementById('view-cell'),
  run: document.getElementById('view-run'),
};
let results = null;
let drawing = null;
let scrolled = 0;     // how far down the matrix was

function chip(name) {
  const {letter, slug} = results.verdict.get(name);
  return el('span', {class: 'chip ' + slug}, el('b', {}, letter), name);
}

function crumbs(...links) {
  return el('nav', {class: 'crumbs', 'aria-label': 'Where this is'},
            links.flatMap(([text, href], at) => [
              at ? el('span', {'aria-hidden': 'true'}, '›') : null,
              el('a', {href}, text)]));
}

function titleOf(fault) { return fault.title || fault.name; }

function cellLink(run) { return `#cell-${run.faultAt}-${run.treeAt}`; }

function hostWord(host) {
  return HOSTS.includes(host) ? el('span', {class: 'host ' + host}, host) :
    words(host);
}

function truthOf(run) {
  if (!run.truth) { return '–'; }
  return Object.entries(run.truth).map(([host, state]) => el(
    'span', {class: 'line-of'}, hostWord(host), ' ', words(state)));
}

function recordOf(run) {
  if (!run.record) { return '–'; }
  return [
    el('span', {class: 'line-of'}, hostWord(run.record.host), ' ',
       words(run.record.vm_state)),
    el('span', {class: 'line-of'}, run.record.task_state ?
      'task ' + words(run.record.task_state) : 'no task', ', power ',
    words(powerOf(run.record)))];
}

function momentOf(run) {
  if (typeof run.delay !== 'number') { return words(run.moment); }
  return `${words(run.moment)} ${run.delay < 0 ? '−' : '+'} ` +
         `${Math.abs(run.delay).toFixed(2)} s`;
}

const COLUMNS = [
  ['Run', 'number', (run) => el('a', {href: `#run-${run.at + 1}`},
                                String(run.at + 1))],
  ['Verdict', 'short', (run) => chip(run.verdict)],
  ['Why', 'why', (run) => words(run.why)],
  ['Guest was', '', truthOf],
  ['Record said', '', recordOf],
  ['Fault at', 'short', momentOf],
  ['Storage', 'short', (run) => run.data ? run.storage :
    typeof run.shared === 'boolean' ?
      (run.shared ? 'shared' : 'not shared') : '–'],
  ['Data', 'why', (run) => run.data ?
    `${run.data.verdict}: ${words(run.data.why)}` : '–'],
  ['Parked, s', 'number', (run) => seconds(run.parked)],
  ['Free after, s', 'number', (run) => seconds(run.free)],
  ['Two ran, s', 'number', (run) => seconds(run.overlap) +
    (run.unseen ? ', unseen' : '')],
];

function showCell(faultAt, treeAt) {
  const fault = results.faults[faultAt];
  const tree = results.trees[treeAt];
  if (!fault || !tree) { throw new Error('there is no such cell'); }
  const runs = results.runsOf(faultAt, treeAt);
  const others = results.trees.map((other, at) => {
    const text = `${other.name}: ${results.runsOf(faultAt, at).length} runs`;
    return el('li', {}, at === treeAt ? el(
      'strong', {'aria-current': 'true'}, text) : el(
      'a', {href: `#cell-${faultAt}-${at}`}, text));
  });
  view.cell.replaceChildren(
    crumbs(['All faults', '#matrix']),
    el('h1', {}, titleOf(fault)),
    el('ul', {class: 'others', 'aria-label': 'The same fault by tree'},
       others),
    el('div', {class: 'wide'}, el(
      'table', {class: 'list'},
      el('thead', {}, el('tr', {}, COLUMNS.map(([title, kind]) => el(
        'th', {scope: 'col', class: kind}, title)))),
      el('tbody', {}, runs.map((run) => el('tr', {}, COLUMNS.map(
        ([, kind, make]) => el('td', {class: kind}, make(run)))))))));
  return view.cell;
}

const TOLD = ['tree', 'fault', 'verdict', 'why', 'broken', 'truth', 'record',
              'at', 'treeAt', 'faultAt', 'data'];
const UNITS = {delay: 'delay, s', parked: 'parked, s', seconds: 'took, s',
               free: 'heal to free, s', overlap: 'two ran, s',
               shared: 'shared storage', lasts: 'fault lasts, s',
               struck: 'fault came at, s', leftover: 'left',
               suspended: 'one of two stopped after, s'};

const DATA = {acknowledged: 'records acknowledged', lost: 'records lost',
              overwritten: 'records that the other copy has overwritten',
              given_up: 'records that went with the other copy',
              doubled: 'records that both copies have written',
              doubled_for: 'both copies wrote, s',
              one_disk: 'both copies wrote to one disk',
              failed: 'writes that failed', broken: 'what may never happen',
              downtime: 'longest silence, s', left: 'disks left'};

function factsOf(run) {
  const facts = [['guest was at the end', truthOf(run)],
                 ['record said at the end', recordOf(run)]];
  for (const [key, value] of Object.entries(run)) {
    if (!TOLD.includes(key) && value !== null && value !== undefined &&
        !(key === 'unseen' && !value)) {
      facts.push([UNITS[key] || key, words(value)]);
    }
  }
  if (run.data) {
    for (const [key, value] of Object.entries(run.data)) {
      facts.push(['data: ' + (DATA[key] || key), words(value)]);
    }
  }
  if (run.record && run.record.fault) {
    facts.push(['fault recorded', words(run.record.fault)]);
  }
  return el('dl', {class: 'facts'}, facts.map(([name, value]) => el(
    'div', {}, el('dt', {}, name), el('dd', {}, value))));
}

function partingsOf(past) {
  return past.partings().map((band) => el(
    'li', {class: 'is-' + band.level},
    `${signed(band.from)} to ${signed(band.to)} ` +
    `(${(band.to - band.from).toFixed(2)} s): ${band.words}` +
    (band.level === 'flying' ? '; the record says that it migrates' : '')));
}

function keyOf() {
  const sample = (text, band) => el('li', {}, svg('svg', {
    'aria-hidden': 'true', viewBox: '0 0 34 16'},
  ...bandShapes(band, 1, 1, 32, 14)), text);
  const glyph = (text, kind, classes) => el('li', {}, svg('svg', {
    'aria-hidden': 'true', viewBox: '0 0 34 16', class: 'mark ' + classes},
  svg('path', {class: 'glyph', d: shape(kind, 17, 8)})), text);
  return el('ul', {class: 'key', 'aria-label': 'Key'},
            sample('runs on the source', {kind: 'solid', hue: 'source'}),
            sample('runs on the destination',
                   {kind: 'solid', hue: 'destination'}),
            sample('paused', {kind: 'striped', hue: 'source'}),
            sample('incoming', {kind: 'hollow', hue: 'destination'}),
            sample('absent, none', {kind: 'line'}),
            sample('stalled', {kind: 'dotted', hue: 'source'}),
            sample('down, gone', {kind: 'crossed', hue: 'source'}),
            sample('record and truth part', {kind: 'apart'}),
            sample('they differ, and the record says migrating',
                   {kind: 'flying'}),
            glyph('callback', 'diamond', 'source'),
            glyph('event', 'circle', 'source'),
            glyph('set up', 'up', 'source'),
            glyph('taken down', 'down', 'source'),
            glyph('taken down under the guest', 'down', 'harm'),
            glyph('fault', 'bolt', ''));
}

function toolsOf(past) {
  const range = el('span', {class: 'range'});
  const button = (text, act, label) => {
    const made = el('button', {type: 'button', 'aria-label': label}, text);
    made.addEventListener('click', act);
    return made;
  };
  const around = (event, before, after) => () => drawing.zoom(
    event.t - before, event.t + after);
  const fault = past.of('fault').find((event) => event.what === 'injected');
  const arrival = past.of('guest', 'destination').find(
    (event) => ['running', 'paused'].includes(event.what));
  drawing.changed = () => {
    const {from, to} = drawing.view;
    range.textContent = `${signed(from)} to ${signed(to)}`;
  };
  return el('div', {class: 'tools'},
            button('Whole run', () => drawing.zoom(past.from, past.to)),
            fault ? button('The fault', around(fault, 0.3, 1.2)) : null,
            arrival ? button('The switch-over', around(arrival, 0.15, 0.25)) :
              null,
            button('−', () => drawing.scale(2), 'Zoom out'),
            button('+', () => drawing.scale(0.5), 'Zoom in'),
            range);
}

function tableOf(past) {
  const rows = past.events.map((event) => el(
    'tr', {class: event.lane === 'fault' ? 'fault' : null},
    el('td', {class: 'number'}, signed(event.t)),
    el('td', {}, hostWord(event.where)), el('td', {}, event.lane),
    el('td', {}, event.what), el('td', {class: 'text'}, event.text),
    el('td', {class: 'data'}, Object.keys(event.data).length ?
      words(event.data) : '')));
  const table = el(
    'table', {class: 'list events'},
    el('thead', {}, el('tr', {}, ['When', 'Where', 'Lane', 'What', 'Text',
                                  'Data'].map((title) => el(
      'th', {scope: 'col'}, title)))), el('tbody', {}, rows));
  return [table, rows];
}

async function showRun(number) {
  const run = results.runs[number - 1];
  if (!run) { throw new Error('there is no run ' + number); }
  const asked = location.hash;
  const past = new Past(await results.timeline(run));
  if (location.hash !== asked) { return null; }
  const [table, rows] = tableOf(past);
  const siblings = results.runsOf(run.faultAt, run.treeAt);
  const at = siblings.indexOf(run);
  const link = (other, text) => other ? el('li', {}, el(
    'a', {href: `#run-${other.at + 1}`}, text)) : null;
  const stage = el('div', {class: 'stage wide'});
  let lit = null;
  drawing = new Drawing(stage, past, (event) => {
    if (lit !== null) { rows[lit].classList.remove('at'); }
    lit = event;
    if (lit !== null) { rows[lit].classList.add('at'); }
  });
  const partings = partingsOf(past);
  view.run.replaceChildren(...[
    crumbs(['All faults', '#matrix'],
           [`${titleOf(results.faults[run.faultAt])}, on ${run.tree}`,
            cellLink(run)]),
    el('h1', {}, `Run ${number}: ${titleOf(results.faults[run.faultAt])}, ` +
                 `on ${run.tree}`),
    el('p', {class: 'headline'}, chip(run.verdict), words(run.why)),
    run.broken && run.broken.length ? el('ul', {
      class: 'broken', 'aria-label': 'What may never happen'},
    run.broken.map((line) => el('li', {}, words(line)))) : null,
    el('ul', {class: 'others'},
       link(siblings[at - 1], '← previous of the cell'),
       link(siblings[at + 1], 'next of the cell →'),
       results.twins(run).map((twin) => el('li', {}, el(
         'a', {href: `#run-${twin.at + 1}`}, 'same fault and seed on ',
         twin.tree, ': ', chip(twin.verdict))))),
    factsOf(run), el('h2', {}, 'Time line'),
    ...(past.events.length ? [
      toolsOf(past), stage, keyOf(),
      el('h2', {}, 'Where record and truth part'),
      partings.length ? el('ul', {class: 'partings'}, partings) :
        el('p', {}, 'Nowhere in this run.'),
      el('h2', {}, 'Events'), el('div', {class: 'wide'}, table),
    ] : [el('p', {}, 'This run has no events.')]),
  ].filter((node) => node !== null));
  return view.run;
}

async function show() {
  const place = location.hash.slice(1).split('-');
  let shown = view.matrix;
  drawing = null;
  try {
    if (place[0] === 'cell') {
      shown = showCell(Number(place[1]), Number(place[2]));
    } else if (place[0] === 'run') {
      shown = await showRun(Number(place[1]));
    }
  } catch (error) {
    shown = view.cell;
    shown.replaceChildren(crumbs(['All faults', '#matrix']), el(
      'p', {class: 'problem', role: 'alert'}, String(error.message)));
  }
  // another one was asked for while this one was unpacked
  if (shown === null) { return null; }
  for (const section of [view.matrix, view.cell, view.run]) {
    section.hidden = section !== shown;
  }
  if (drawing && drawing.stage.isConnected) { drawing.draw(); }
  return shown;
}

async function go() {
  const came = window.scrollY;
  if (!view.matrix.hidden) { scrolled = came; }
  const shown = await show();
  if (shown === null) { return; }
  shown.focus({preventScroll: true});
  window.scrollTo(0, shown === view.matrix ? scrolled : 0);
}

async function begin() {
  const button = document.getElementById('theme');
  const themes = ['system', 'light', 'dark'];
  let theme = 0;
  button.hidden = false;
  button.addEventListener('click', () => {
    theme = (theme + 1) % themes.length;
    button.textContent = 'Theme: ' + themes[theme];
    document.documentElement.style.colorScheme =
      theme ? themes[theme] : '';
  });
  try {
    results = new Results(await unpack('summary'));
  } catch (error) {
    view.matrix.prepend(el('p', {class: 'problem', role: 'alert'},
                           `The runs cannot be shown: ${error.message}`));
    return;
  }
  document.getElementById('hint').hidden = false;
  window.addEventListener('hashchange', go);
  let wait = null;
  window.addEventListener('resize', () => {
    clearTimeout(wait);
    wait = setTimeout(() => {
      if (drawing && drawing.stage.isConnected) { drawing.draw(); }
    }, 120);
  });
  await show();
}

begin();
