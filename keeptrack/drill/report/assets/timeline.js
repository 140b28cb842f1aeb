// Draws a run's time line, and lets it be zoomed and walked through.
const ROW = 17;
const measure = (() => {
  const context = document.createElement('canvas').getContext('2d');
  return (text, size = 11.5) => {
    context.font = `${size}px system-ui, sans-serif`;
    return context.measureText(text).width * 1.06;
  };
})();

function shortened(text, most) {
  return text.length > most ? text.slice(0, most - 1) + '…' : text;
}

class Drawing {
  // stage: where to draw; tell: called with an event's number, or null
  constructor(stage, past, tell) {
    Object.assign(this, {stage, past, tell});
    this.groups = plan(past);
    this.view = {from: past.from, to: past.to};
    this.tip = el('div', {class: 'tip', hidden: true});
    this.changed = () => {};
    stage.append(this.tip);
    stage.addEventListener('keydown', (press) => this.press(press));
    stage.addEventListener('pointerdown', (press) => this.grab(press));
    for (const kind of ['pointerover', 'focusin']) {
      stage.addEventListener(kind, (seen) => this.explain(seen.target));
    }
    for (const kind of ['pointerleave', 'focusout']) {
      stage.addEventListener(kind, () => this.explain(null));
    }
  }

  zoom(from, to) {
    const {past} = this;
    const length = Math.min(Math.max(to - from, 0.005), past.to - past.from);
    const start = Math.min(Math.max(from, past.from), past.to - length);
    this.view = {from: start, to: start + length};
    this.draw();
  }

  scale(factor) {
    const {from, to} = this.view;
    const half = (to - from) * factor / 2;
    this.zoom((from + to) / 2 - half, (from + to) / 2 + half);
  }

  x(t) {
    const {from, to} = this.view;
    const share = (t - from) / (to - from);
    return this.left + Math.min(Math.max(share, -0.01), 1.01) *
           (this.right - this.left);
  }

  draw() {
    const width = Math.max(this.stage.clientWidth, 720);
    this.left = width < 900 ? 118 : 140;
    this.right = width - 14;
    this.back = svg('g');
    this.body = svg('g');
    this.front = svg('g');
    this.marks = [];
    let y = 60;
    let top = null;
    let bottom = y;
    for (const group of this.groups) {
      if (group.title) {
        y += group === this.groups[0] ? 0 : 8;
        this.back.append(
          svg('line', {class: 'divide', x1: 0, x2: width, y1: y, y2: y}),
          svg('text', {class: 'group', x: 10, y: y + 16}, group.title));
        y += 22;
      }
      top ??= y;
      for (const lane of group.lanes) {
        this.back.append(svg('text', {
          class: 'lane', x: this.left - 8, y: y + 14,
          'text-anchor': 'end'}, lane.label));
        y += lane.bands ? this.bandLane(lane, y) : this.itemLane(lane, y);
      }
      if (group.truth || group.parting) { bottom = y; }
    }
    const height = y + 8;
    this.axis(height);
    this.faults(height);
    this.overlay(top, bottom);
    const clip = svg('clipPath', {id: 'plot'}, svg('rect', {
      x: this.left - 1, y: 0, width: this.right - this.left + 14, height}));
    const plot = svg('g', {'clip-path': 'url(#plot)'}, this.body, this.front);
    this.root = svg('svg', {
      class: 'line', viewBox: `0 0 ${width} ${height}`, role: 'group',
      height, 'aria-label': 'Time line of the run; the arrow keys walk ' +
      'through its events, the table below has them all'},
    svg('defs', {}, ...patterns(), clip), this.back, plot);
    this.root.style.minWidth = width + 'px';
    this.stage.replaceChildren(this.root, this.tip);
    this.marks.sort((a, b) => a.t - b.t);
    if (this.marks.length) {
      this.marks[0].node.setAttribute('tabindex', '0');
    }
    this.explain(null);
    this.changed();
  }

  axis(height) {
    const {from, to} = this.view;
    const rough = (to - from) * 90 / (this.right - this.left);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    for (let n = Math.ceil(from / step); n * step <= to; n += 1) {
      const x = this.x(n * step);
      this.back.prepend(svg('line', {
        class: n === 0 ? 'zero' : 'grid', x1: x, x2: x, y1: 20, y2: height}));
      this.back.append(svg('text', {
        class: 'tick', x, y: 14, 'text-anchor': 'middle'},
      (n * step).toFixed(digits).replace('-', '−') + ' s'));
    }
  }

  // The fault: a shade while it lasts, its words on top.
  faults(height) {
    let since = null;
    const free = {};     // how far the words of a row reach
    const shade = (from, to) => this.back.prepend(svg('rect', {
      class: 'faulty', x: this.x(from), y: 20,
      width: Math.max(this.x(to) - this.x(from), 0), height: height - 20}));
    for (const event of this.past.of('fault')) {
      if (event.what === 'healed' && since !== null) {
        shade(since, event.t);
        since = null;
      } else if (event.what === 'injected') {
        since = event.t;
      }
      if (event.t < this.view.from || event.t > this.view.to) { continue; }
      const x = this.x(event.t);
      // what strikes stands in the upper row, all else in the lower one
      const y = event.what === 'injected' ? 31 : 48;
      const text = (event.what === 'injected' ? 'fault: ' : '') +
                   (event.what === 'healed' ? 'over' :
                     event.text || event.what);
      const wide = measure(text);
      const node = this.mark(event, 'fault', event.text || event.what);
      node.append(
        svg('line', {class: event.what === 'healed' ? 'heal' : 'strike',
                     x1: x, x2: x, y1: 22, y2: height}),
        svg('path', {class: 'glyph', d: shape(
          event.what === 'injected' ? 'bolt' : 'circle', x, y)}),
        svg('rect', {class: 'hit', x: x - 5, y: y - 10, width: 10,
                     height: 20}));
      const start = x + 9 + wide > this.right ? x - 9 - wide : x + 9;
      if (start >= (free[y] ?? this.left)) {
        node.append(svg('text', {x: start, y: y + 4}, text));
        free[y] = Math.max(x, start + wide) + 12;
      }
      this.front.append(node);
    }
    if (since !== null) { shade(since, this.past.to); }
  }

  overlay(top, bottom) {
    for (const band of this.past.partings()) {
      if (band.level === 'apart' && this.seen(band)) {
        this.body.append(svg('rect', {
          class: 'apart wash', x: this.x(band.from), y: top - 2,
          width: Math.max(this.x(band.to) - this.x(band.from), 1.5),
          height: bottom - top + 2, 'pointer-events': 'none'}));
      }
    }
  }

  seen(band) {
    return band.to >= this.view.from && band.from <= this.view.to;
  }

  mark(event, classes, title, range) {
    const t = event ? event.t : range ? range.from : 0;
    const node = svg('g', {
      class: 'mark ' + classes, tabindex: '-1', role: 'img',
      'aria-label': `${title}, ${signed(t)}`});
    node.told = {event, title, range};
    this.marks.push({t, node});
    return node;
  }

  bandLane(lane, y) {
    const height = lane.tall ? 18 : 14;
    const below = [];
    for (const band of lane.bands.filter((one) => this.seen(one))) {
      const x = this.x(band.from);
      const wide = Math.max(this.x(band.to) - x, 1.5);
      const node = this.mark(band.event, band.hue || '',
                             `${lane.label}: ${band.what}`, band);
      node.append(...bandShapes(band, x, y + 2, wide, height));
      const room = measure(band.what) + 8;
      const start = Math.max(x, this.left);
      if (x + wide - start > room && band.kind !== 'thin') {
        const dark = band.kind === 'solid';
        if (['apart', 'flying', 'striped', 'crossed', 'dotted'].includes(
          band.kind)) {
          node.append(svg('rect', {
            class: 'plate', x: start + 4, y: y + 3.5, rx: 2,
            width: room - 2, height: height - 3}));
        }
        node.append(svg('text', {
          class: dark ? 'on' : band.kind === 'apart' ? 'badword' :
            band.kind === 'line' ? 'quiet' : null,
          x: start + (band.kind === 'end' ? 12 : 7),
          y: y + height / 2 + 6}, band.what));
      }
      if (band.kind === 'apart' && x + wide - start <= room) {
        this.below(band, start, y + height + 3, below);
      }
      this.body.append(node);
    }
    return height + 5 + below.length * ROW;
  }

  // Words that a band has no room for stand below it, each in its own row
  // where they would run into each other.
  below(band, start, y, ends) {
    const room = measure(band.what, 12.2);
    const at = Math.max(this.left + 4, Math.min(start, this.right - room));
    let row = ends.findIndex((end) => end < at - 10);
    if (row < 0) { row = ends.length; }
    if (row > 2) { return; }
    ends[row] = at + room;
    this.front.append(svg('text', {class: 'badword', x: at,
                                   y: y + row * ROW + 12}, band.what));
  }

  itemLane(lane, y) {
    const ends = [];
    let most = 0;
    for (const item of lane.items) {
      const range = {from: item.from, to: item.point ? item.from : item.to};
      if (!this.seen(range)) { continue; }
      const x = this.x(range.from);
      const wide = item.point ? 0 : Math.max(this.x(range.to) - x, 3);
      const begin = Math.max(x, this.left);
      const text = shortened(item.text, lane.cut);
      const room = measure(text, item.raised || item.harm ? 12.6 : 11.5);
      const inside = x + wide - begin > room + 8;
      // words that would run out of the drawing stand before the mark
      const before = !inside && x + wide + room + 9 > this.right + 12;
      const start = before ? x - room - 9 : begin;
      const needs = inside || before ? x + wide : x + wide + room + 9;
      const row = Array.from({length: lane.rows}, (_, n) => n).find(
        (n) => (ends[n] ?? -Infinity) <= start - 6);
      // where no row has room for the words, the last one takes the mark
      const place = row ?? lane.rows;
      ends[place] = Math.max(ends[place] ?? 0, row === undefined ?
        x + wide : needs);
      most = Math.max(most, place);
      this.body.append(this.item(
        item, range, x, y + Math.min(place, lane.rows) * ROW, wide,
        row === undefined ? null : {text, at: inside ? begin + 4 :
          x + wide + (item.point ? 8 : 4), before: before && x - 7}));
    }
    // a row that holds nothing takes no room
    return (Math.min(most, lane.rows) + 1) * ROW + 5;
  }

  item(item, range, x, y, wide, label) {
    const classes = [item.where, item.raised && 'raised', item.harm && 'harm',
                     item.open && 'open'].filter(Boolean).join(' ');
    const title = item.text + (item.harm ? ' – while the guest was here' :
      item.open ? ' – never ended' : '');
    const node = this.mark(item.event, classes, title,
                           item.point ? null : range);
    if (item.point) {
      node.append(
        svg('path', {class: 'glyph', d: shape(item.glyph, x, y + 9.5)}),
        svg('rect', {class: 'hit', x: x - 6, y: y + 2, width: 12,
                     height: 15}));
    } else {
      node.append(svg('rect', {class: 'span', x, y: y + 2, width: wide,
                               height: 14, rx: 2}));
    }
    if (label) {
      node.append(svg('text', {
        x: label.before || label.at, y: y + 13,
        'text-anchor': label.before ? 'end' : null}, label.text));
    }
    return node;
  }
}

// How a band looks: by pattern as well as by colour.
function bandShapes(band, x, y, wide, height) {
  const rect = (classes, extra) => svg('rect', {
    class: `band ${classes} ${band.hue || ''}`, x, y, width: wide, height,
    ...extra});
  const middle = y + height / 2;
  const hit = svg('rect', {class: 'hit', x, y, width: wide, height});
  switch (band.kind) {
    case 'solid': return [rect('')];
    case 'striped': return [rect('', {
      fill: 'url(#stripe-' + band.hue + ')', class: 'band striped'})];
    case 'dotted': return [rect('', {fill: 'url(#dots-flying)',
                                     class: 'band bad-dots'}),
                           rect('hollow')];
    case 'crossed': return [rect('', {fill: 'url(#cross)',
                                      class: 'band crossed'}),
                            rect('hollow')];
    case 'hollow': return [rect('hollow'), hit];
    case 'thin': return [rect('soft', {y: middle - 2.5, height: 5}), hit];
    case 'line': return [svg('line', {class: 'absent', x1: x, x2: x + wide,
                                      y1: middle, y2: middle}), hit];
    case 'end': return [svg('path', {class: 'glyph',
                                     d: shape('square', x + 4, middle)}),
                        hit];
    case 'apart': case 'flying':
      return [svg('rect', {class: band.kind, x, y, width: wide, height})];
    default: return [rect(band.kind)];
  }
}

function shape(kind, x, y) {
  const at = (dx, dy) => `${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}`;
  const line = (...points) => 'M' + points.map(
    ([dx, dy]) => at(dx, dy)).join('L') + 'Z';
  switch (kind) {
    case 'diamond': return line([0, -6], [6, 0], [0, 6], [-6, 0]);
    case 'up': return line([0, -5], [5.5, 5], [-5.5, 5]);
    case 'down': return line([0, 5], [5.5, -5], [-5.5, -5]);
    case 'square': return line([-4, -4], [4, -4], [4, 4], [-4, 4]);
    case 'bolt': return line([2.5, -10], [-6, 1.5], [-0.5, 1.5], [-2.5, 10],
                             [6, -1.5], [0.5, -1.5]);
    default: return `M${at(-4.8, 0)}a4.8 4.8 0 1 0 9.6 0a4.8 4.8 0 1 0 -9.6 0Z`;
  }
}

function patterns() {
  const pattern = (id, size, ...content) => svg('pattern', {
    id, width: size, height: size, patternUnits: 'userSpaceOnUse'},
  ...content);
  const slant = (size) => `M-1 1l2 -2M0 ${size}L${size} 0M${size - 1} ` +
                          `${size + 1}l2 -2`;
  return [
    ...HOSTS.map((host) => pattern(
      'stripe-' + host, 9,
      svg('rect', {class: 'ground ' + host, width: 9, height: 9}),
      svg('path', {class: 'stripe ' + host, d: slant(9)}))),
    pattern('hatch-apart', 8, svg('path', {class: 'hatch', d: slant(8)})),
    pattern('dots-flying', 6, svg('circle', {class: 'dots', cx: 3, cy: 3,
                                             r: 1.1})),
    pattern('cross', 7, svg('path', {class: 'cross',
                                     d: 'M0 0L7 7M7 0L0 7'})),
  ];
}
