// Building blocks.  Text is always set as text, never as markup.
const SVG = 'http://www.w3.org/2000/svg';

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? '' : value);
    }
  }
  node.append(...children.flat().filter(
    (child) => child !== null && child !== undefined && child !== ''));
  return node;
}

function el(name, attributes, ...children) {
  return build(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
  return build(document.createElementNS(SVG, name), attributes, children);
}

function seconds(value, digits = 1) {
  return typeof value === 'number' ? value.toFixed(digits) : '–';
}

function signed(value) {
  return (value < 0 ? '−' : '+') + Math.abs(value).toFixed(3) + ' s';
}

// A value of the results as words: lists and objects as "key value" pairs.
function words(value) {
  if (value === null || value === undefined) { return '–'; }
  if (value === true) { return 'yes'; }
  if (value === false) { return 'no'; }
  if (Array.isArray(value)) { return value.map(words).join(', ') || '–'; }
  if (typeof value === 'object') {
    return Object.entries(value).map(
      ([key, held]) => `${key} ${words(held)}`).join(' · ');
  }
  return String(value);
}
