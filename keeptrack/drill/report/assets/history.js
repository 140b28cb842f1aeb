// What was so from one time to another, read from a run's time line: the
// guest's states, the record, and where the two part.
const HOSTS = ['source', 'destination'];
const POWER = {0: 'no state', 1: 'running', 3: 'paused', 4: 'shutdown',
               6: 'crashed', 7: 'suspended'};

function powerOf(record) {
  const power = record.power_state;
  return typeof power === 'number' ? POWER[power] || power : power;
}

// Bands of a sequence of states: equal neighbours are one.
function bands(changes, end) {
  const found = [];
  for (const change of changes) {
    const last = found[found.length - 1];
    if (last && last.what === change.what) { continue; }
    if (last) { last.to = change.t; }
    found.push({from: change.t, to: end, what: change.what,
                event: change.event});
  }
  return found;
}

class Past {
  constructor(events) {
    this.events = events;
    const times = events.map((event) => event.t);
    const first = times.length ? Math.min(...times, 0) : 0;
    const last = times.length ? Math.max(...times, first + 0.1) : 1;
    const margin = (last - first) * 0.015;
    this.from = first - margin;
    this.to = last + margin;
    this.records = this.of('record').map(
      (event) => ({t: event.t, what: event.data, event}));
  }

  of(lane, where) {
    return this.events.filter((event) => event.lane === lane &&
      (where === undefined || event.where === where));
  }

  states(lane, where) {
    return bands(this.of(lane, where).map(
      (event) => ({t: event.t, what: event.what, event})), this.to);
  }

  recorded(field) {
    return bands(this.records.filter(({what}) => field in what).map(
      ({t, what, event}) => ({t, event, what: field === 'power_state' ?
        words(powerOf(what)) : words(what[field])})), this.to);
  }

  // The guest's state on a host; before the first report it counts as absent.
  guest(where, t) {
    let state = 'absent';
    for (const event of this.of('guest', where)) {
      if (event.t > t) { break; }
      state = event.what;
    }
    return state;
  }

  record(t) {
    let found = null;
    for (const change of this.records) {
      if (change.t > t) { break; }
      found = change.what;
    }
    return found;
  }

  // Where record and truth part: bands of {level, words}, level 'flying'
  // while Nova knows that a migration is under way, else 'apart'.
  partings() {
    const cuts = [...new Set(this.events.filter(
      (event) => event.lane === 'guest' || event.lane === 'record').map(
      (event) => event.t))].sort((a, b) => a - b);
    const found = [];
    cuts.forEach((from, at) => {
      const to = at + 1 < cuts.length ? cuts[at + 1] : this.to;
      // before the guest is seen for the first time nothing is known
      if (!this.of('guest').some((event) => event.t <= from)) { return; }
      const said = judge(Object.fromEntries(HOSTS.map(
        (host) => [host, this.guest(host, from)])), this.record(from));
      const last = found[found.length - 1];
      if (said === null) { return; }
      if (last && last.to === from && last.level === said.level &&
          last.words === said.words) {
        last.to = to;
      } else {
        found.push({from, to, ...said});
      }
    });
    return found;
  }
}

function judge(guest, record) {
  const run = HOSTS.filter((host) => guest[host] === 'running');
  const paused = HOSTS.filter((host) => guest[host] === 'paused');
  if (run.length === 2) {
    return {level: 'apart', words: 'split brain'};
  }
  if (record === null) { return null; }
  const level = record.task_state === 'migrating' ? 'flying' : 'apart';
  const here = run.length ? run[0] : paused.length === 1 ? paused[0] : null;
  const stopped = ['shutdown', 'crashed'].includes(powerOf(record)) ||
                  record.vm_state === 'stopped';
  const said = (claim, fact) => (
    {level, words: `record ${claim}, guest ${fact}`});
  const fact = (run.length ? 'runs' : 'is paused') + ` on the ${here}`;
  if (here && record.host && record.host !== here) {
    return said(run.length && stopped ? `says stopped on the ${record.host}` :
      `names the ${record.host}`, fact);
  }
  if (run.length && stopped) { return said('says stopped', fact); }
  if (!run.length && !paused.length && powerOf(record) === 'running') {
    return said('says running', 'runs nowhere');
  }
  return null;
}
