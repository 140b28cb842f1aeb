// Unpacks what the page carries: gzipped JSON in base64, block by block.
async function unpack(name) {
  const block = document.getElementById('data-' + name);
  if (block === null) { throw new Error('the page holds no ' + name); }
  if (typeof DecompressionStream === 'undefined') {
    throw new Error('this browser cannot unpack gzip; a newer one can');
  }
  const packed = atob(block.textContent);
  const bytes = new Uint8Array(packed.length);
  for (let at = 0; at < packed.length; at += 1) {
    bytes[at] = packed.charCodeAt(at);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(
    new DecompressionStream('gzip'));
  return new Response(stream).json();
}

class Results {
  constructor(summary) {
    Object.assign(this, summary);
    this.cells = new Map();
    this.verdict = new Map(this.verdicts.map((entry) => [entry.name, entry]));
    const tree = new Map(this.trees.map((entry, at) => [entry.name, at]));
    const fault = new Map(this.faults.map((entry, at) => [entry.name, at]));
    this.runs.forEach((run, at) => {
      run.at = at;
      run.treeAt = tree.get(run.tree);
      run.faultAt = fault.get(run.fault);
    });
  }

  // The runs of a cell, the worst first.
  runsOf(faultAt, treeAt) {
    const order = this.verdicts.map((entry) => entry.name);
    order.unshift(order.pop());     // what was not run comes last
    return this.runs.filter(
      (run) => run.faultAt === faultAt && run.treeAt === treeAt).sort(
      (a, b) => order.indexOf(b.verdict) - order.indexOf(a.verdict) ||
                a.at - b.at);
  }

  // The same fault drawn from the same seed, on the other trees.
  twins(run) {
    if ((run.seed ?? null) === null) { return []; }
    const alike = this.runs.filter(
      (other) => other.fault === run.fault && other.seed === run.seed &&
                 other.moment === run.moment);
    // a seed that many runs of a tree share tells no twins
    return alike.filter((twin) => twin.tree !== run.tree && alike.filter(
      (other) => other.tree === twin.tree).length === 1);
  }

  async timeline(run) {
    const cell = `cell-${run.faultAt}-${run.treeAt}`;
    if (!this.cells.has(cell)) { this.cells.set(cell, unpack(cell)); }
    const events = (await this.cells.get(cell))[run.at];
    return events.map(([t, where, lane, what, text, data]) => (
      {t, where, lane, what, text: text || '', data: data || {}})).sort(
      (a, b) => a.t - b.t).map((event, at) => ({...event, at}));
  }
}
