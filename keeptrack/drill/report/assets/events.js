// Hands and eyes on a drawing: hints, keys, a range drawn with the pointer.
Object.assign(Drawing.prototype, {
  explain(target) {
    const node = target && target.closest ? target.closest('.mark') : null;
    this.tip.hidden = node === null;
    if (node === null) { this.tell(null); return; }
    const {event, title, range} = node.told;
    const lines = [];
    if (range) {
      const from = Math.max(range.from, this.past.from);
      lines.push(`${signed(from)} to ${signed(range.to)}, ` +
                 `${(range.to - from).toFixed(3)} s`);
    } else if (event) {
      lines.push(signed(event.t));
    }
    if (event) {
      lines[0] += ` · ${event.where} · ${event.lane} · ${event.what}`;
      if (event.text && event.text !== title) { lines.push(event.text); }
      if (Object.keys(event.data).length) { lines.push(words(event.data)); }
    }
    this.tip.replaceChildren(el('b', {}, title), ...lines.map(
      (line) => el('div', {}, line)));
    const stage = this.stage.getBoundingClientRect();
    const box = node.getBoundingClientRect();
    const wide = this.tip.offsetWidth;
    const from = Math.max(box.left, stage.left + this.left) - stage.left;
    const least = this.stage.scrollLeft;
    this.tip.style.left = Math.max(least + 4, Math.min(
      from + least, least + stage.width - wide - 8)) + 'px';
    const below = Math.min(box.bottom, box.top + 40) - stage.top + 6;
    this.tip.style.top = below + 'px';
    this.tell(event ? event.at : null);
  },

  press(press) {
    const at = this.marks.findIndex(
      (mark) => mark.node === document.activeElement);
    const last = this.marks.length - 1;
    const to = {ArrowRight: Math.min(at + 1, last), Home: 0, End: last,
                ArrowLeft: Math.max(at - 1, 0)}[press.key];
    if (press.ctrlKey || press.altKey || press.metaKey) { return; }
    if (to !== undefined && at >= 0) {
      this.marks[at].node.setAttribute('tabindex', '-1');
      this.marks[to].node.setAttribute('tabindex', '0');
      this.marks[to].node.focus({preventScroll: false});
    } else if (press.key === '+') {
      this.scale(0.5);
    } else if (press.key === '-') {
      this.scale(2);
    } else if (press.key === '0') {
      this.zoom(this.past.from, this.past.to);
    } else if (press.key === 'Escape') {
      this.explain(null);
    } else {
      return;
    }
    press.preventDefault();
  },

  // A range drawn with the pointer becomes the view.
  grab(press) {
    const place = (event) => event.clientX -
      this.root.getBoundingClientRect().left;
    const start = place(press);
    if (press.button !== 0 || press.pointerType === 'touch' ||
        start < this.left) { return; }
    const height = this.root.getBoundingClientRect().height;
    const range = svg('rect', {class: 'select', y: 20, height: height - 20,
                               x: start, width: 0});
    const ends = () => {
      const now = Math.min(Math.max(this.now, this.left), this.right);
      return [Math.min(start, now), Math.max(start, now)];
    };
    const time = (x) => this.view.from + (x - this.left) /
      (this.right - this.left) * (this.view.to - this.view.from);
    const move = (event) => {
      this.now = place(event);
      const [from, to] = ends();
      range.setAttribute('x', from);
      range.setAttribute('width', to - from);
    };
    const drop = () => {
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', drop);
      range.remove();
      const [from, to] = ends();
      if (to - from > 6) { this.zoom(time(from), time(to)); }
    };
    this.now = start;
    this.root.append(range);
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', drop);
    press.preventDefault();
  },
});
