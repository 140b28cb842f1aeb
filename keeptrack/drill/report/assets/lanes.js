// What is drawn: groups of lanes, each of bands (what was so) or of items
// (what happened, or was under way).
const TERMINAL = ['completed', 'failed', 'cancelled', 'none'];
const GLYPHS = {callback: 'diamond', event: 'circle', teardown: 'down',
                setup: 'up', log: 'square', rpc: 'square', migrate: 'diamond',
                call: 'circle', fault: 'bolt'};
const TITLES = {guest: 'guest', daemon: 'libvirtd', compute: 'nova-compute',
                migrate: 'libvirt call', job: 'job', call: "Nova's methods",
                callback: 'callbacks', rpc: 'RPC', event: 'events',
                teardown: 'taken down', setup: 'set up', log: 'log',
                writes: 'guest writes'};
// lanes of a host, in order, and how many rows of words each may take
const ROWS = {writes: 2, migrate: 3, callback: 2, call: 7, teardown: 4, setup: 3,
              event: 3, rpc: 3, log: 2};

function plan(past) {
  const known = new Set(['guest', 'record', 'daemon', 'compute', 'job',
                         'fault', ...Object.keys(ROWS)]);
  const strange = [...new Set(past.events.map((event) => event.lane))].filter(
    (lane) => !known.has(lane));
  const groups = [
    {title: 'Truth: the guest', truth: true,
     lanes: HOSTS.map((host) => guestLane(past, host))},
    {title: '', parting: true, lanes: [partingLane(past)]},
    {title: "Nova's record", truth: true, lanes: recordLanes(past)},
  ];
  const other = [...new Set(past.events.map((event) => event.where))].filter(
    (where) => !HOSTS.includes(where)).map((where) => [
    where, where.charAt(0).toUpperCase() + where.slice(1)]);
  for (const [where, title] of [['source', 'Source'],
                                ['destination', 'Destination'], ...other]) {
    const lanes = [];
    if (HOSTS.includes(where)) {
      lanes.push(daemonLane(past, where), computeLane(past, where),
                 jobLane(past, where));
    }
    for (const lane of [...Object.keys(ROWS), ...strange]) {
      lanes.push(...split(itemLane(past, lane, where)));
    }
    const filled = lanes.filter(
      (lane) => (lane.bands || lane.items).length > 0);
    if (filled.length) { groups.push({title, lanes: filled}); }
  }
  return groups;
}

// Errors of the log have a lane of their own, above the warnings.
function split(lane) {
  if (lane.label !== TITLES.log) { return [lane]; }
  return [{...lane, label: 'errors', items: lane.items.filter(
    (item) => item.raised)},
  {...lane, items: lane.items.filter((item) => !item.raised)}];
}

function guestLane(past, host) {
  const kind = {running: 'solid', paused: 'striped', incoming: 'hollow',
                absent: 'line'};
  const found = past.states('guest', host);
  if (!found.length || found[0].from > past.from) {
    const to = found.length ? found[0].from : past.to;
    found.unshift({from: past.from, to, what: '', event: null});
  }
  return {label: `on ${host}`, tall: true, bands: found.map((band) => (
    {...band, kind: band.what ? kind[band.what] || 'soft' : 'line',
     hue: host}))};
}

function partingLane(past) {
  return {label: 'they part', tall: true, bands: past.partings().map(
    (band) => ({...band, what: band.words, kind: band.level, event: null}))};
}

function recordLanes(past) {
  const none = (band) => band.what === '–';
  const hue = (what) => HOSTS.includes(what) ? what : 'other';
  return [
    {label: 'host', tall: true, bands: past.recorded('host').map((band) => (
      {...band, kind: none(band) ? 'line' : 'solid', hue: hue(band.what)}))},
    {label: 'vm_state', bands: past.recorded('vm_state').map((band) => (
      {...band, kind: band.what === 'error' ? 'bad' : 'soft'}))},
    {label: 'task_state', bands: past.recorded('task_state').map((band) => (
      {...band, kind: none(band) ? 'line' : 'soft',
       what: none(band) ? 'none' : band.what}))},
    {label: 'power_state', bands: past.recorded('power_state').map((band) => (
      {...band, kind: 'soft'}))},
  ].filter((lane) => lane.bands.length);
}

function daemonLane(past, host) {
  const kind = {up: 'thin', stalled: 'dotted', down: 'crossed'};
  return {label: TITLES.daemon, bands: past.states('daemon', host).map(
    (band) => ({...band, kind: kind[band.what] || 'soft', hue: host}))};
}

function computeLane(past, host) {
  const kind = {up: 'hollow', initialized: 'thin', gone: 'crossed'};
  const states = past.states('compute', host);
  const tells = states.some((band) => band.what === 'initialized');
  return {label: TITLES.compute, bands: states.map((band) => (
    {...band, hue: host, kind: band.what === 'up' && !tells ? 'thin' :
      kind[band.what] || 'soft'}))};
}

function jobLane(past, host) {
  return {label: TITLES.job, bands: past.states('job', host).map((band) => (
    {...band, hue: host, kind: TERMINAL.includes(band.what) ? 'end' :
      'soft'}))};
}

function phaseOf(event) {
  const phase = event.data.phase || event.what;
  return ['begin', 'end', 'raise'].includes(phase) ? phase : null;
}

function methodOf(event) {
  return event.data.method || (phaseOf(event) === event.what ?
    (event.lane === 'migrate' ? 'migrate' : event.text) : event.what);
}

function itemLane(past, lane, where) {
  const items = [];
  const open = [];
  const gone = past.of('compute', where).filter(
    (event) => event.what === 'gone').map((event) => event.t);
  for (const event of past.of(lane, where)) {
    const phase = phaseOf(event);
    const method = methodOf(event);
    const at = open.map((item) => item.method).lastIndexOf(method);
    // a cast is sent, and has no end
    if (phase === 'begin' && event.data.call !== false) {
      const item = {from: event.t, to: null, method, event,
                    text: method, where};
      open.push(item);
      items.push(item);
    } else if (phase !== null && at >= 0) {
      const [item] = open.splice(at, 1);
      Object.assign(item, {to: event.t, last: event});
      if (phase === 'raise') {
        item.raised = true;
        item.text += ' ✕ ' + (event.data.error || event.text);
      }
    } else {
      items.push({from: event.t, point: true, event, where,
                  glyph: GLYPHS[lane] || 'circle',
                  raised: phase === 'raise' || (lane === 'log' &&
                    ['error', 'critical'].includes(event.what)),
                  harm: Boolean(event.data.harm), text: wordsOf(event)});
    }
  }
  for (const item of open) {
    item.to = gone.find((t) => t >= item.from) ?? past.to;
    item.open = true;
  }
  return {label: HOSTS.includes(where) && TITLES[lane] || lane, items, rows: ROWS[lane] || 3,
          cut: lane === 'log' ? 48 : 60};
}

function wordsOf(event) {
  if (event.data.call === false) { return methodOf(event) + ' (cast)'; }
  return ['teardown', 'setup', 'log', 'fault'].includes(event.lane) ?
    event.text || event.what : event.what;
}
