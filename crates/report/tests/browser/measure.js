// Looks for what a reader would stumble over in the frames of this page, and writes it into #findings.

const lines = [];

function colour(text) {
  const parts = text.match(/[\d.]+/g).map(Number);
  return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => {
    const share = c / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function background(view, element) {
  for (let e = element; e; e = e.parentElement) {
    const found = colour(view.getComputedStyle(e).backgroundColor);
    if (found.alpha > 0) return found.rgb;
  }
  return [255, 255, 255];
}

function scrolls(view, element) {
  const overflow = view.getComputedStyle(element).overflowX;
  return overflow === 'auto' || overflow === 'scroll';
}

function inScrollingBox(view, element) {
  for (let e = element.parentElement; e && e !== e.ownerDocument.body; e = e.parentElement) {
    if (scrolls(view, e)) return true;
  }
  return false;
}

function shown(element) {
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && element.checkVisibility();
}

function describe(element) {
  const text = (element.textContent || '').trim().slice(0, 40);
  return `<${element.tagName.toLowerCase()} class="${element.getAttribute('class') || ''}"> "${text}"`;
}

function layout(doc, view, say) {
  const root = doc.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    say(`page is ${root.scrollWidth} wide in ${root.clientWidth}`);
  }
  for (const e of doc.body.querySelectorAll('*')) {
    if (!shown(e) || e.ownerSVGElement) continue;
    const box = e.getBoundingClientRect();
    const out = box.right > root.clientWidth + 0.5 || box.left < -0.5;
    if (out && !inScrollingBox(view, e)) say(`sticks out of the page: ${describe(e)}`);
    const inline = view.getComputedStyle(e).display === 'inline';
    if (!inline && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1 && !scrolls(view, e)) {
      say(`content wider than its box: ${describe(e)}`);
    }
  }
}

function pictures(doc, view, say) {
  let texts = 0;
  for (const svg of doc.querySelectorAll('svg, img')) {
    if (svg.getAttribute('aria-hidden') === 'true') continue;
    const name = svg.getAttribute('aria-label') || '';
    if (svg.getAttribute('role') !== 'img') say(`picture without a role: ${describe(svg)}`);
    if (name.trim().length < 20) say(`picture without a name that says something: ${describe(svg)}`);
    if (!/\d/.test(name)) say(`name of a picture without a number: ${name}`);
    if (!shown(svg)) say(`picture that is not shown: ${name}`);
    const frame = svg.getBoundingClientRect();
    const axis = [];
    for (const text of svg.querySelectorAll('text')) {
      texts += 1;
      const box = text.getBoundingClientRect();
      if (box.left < frame.left - 0.5 || box.right > frame.right + 0.5
        || box.top < frame.top - 0.5 || box.bottom > frame.bottom + 0.5) {
        say(`text sticks out of its picture: ${describe(text)} in ${name}`);
      }
      const size = parseFloat(view.getComputedStyle(text).fontSize) * text.getScreenCTM().a;
      if (size < 10) say(`letters of ${size.toFixed(1)} pixels: ${describe(text)} in ${name}`);
      if (text.getAttribute('fill') === '#010001') axis.push([text, box]);
    }
    axis.forEach(([text, a], i) => axis.slice(i + 1).forEach(([other, b]) => {
      if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom) {
        say(`labels run into each other: ${describe(text)} and ${describe(other)} in ${name}`);
      }
    }));
  }
  for (const figure of doc.querySelectorAll('figure')) {
    if (!figure.querySelector('svg[role=img], img')) say(`figure without a picture: ${describe(figure)}`);
    if (!figure.querySelector('figcaption')) say(`figure without a caption: ${describe(figure)}`);
    if (!figure.querySelector('details table td, details table th[scope=row]')) {
      say(`figure without its numbers: ${describe(figure)}`);
    }
  }
  return texts;
}

function colours(doc, view, say) {
  const walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || !shown(e)) continue;
    const style = view.getComputedStyle(e);
    const ink = colour(e.ownerSVGElement ? style.fill : style.color);
    const found = contrast(ink.rgb, background(view, e));
    if (ink.alpha < 1 || found < 4.5) say(`contrast of text ${found.toFixed(2)}: ${describe(e)}`);
  }
  for (const e of doc.querySelectorAll('[fill^="#0200"], [stroke^="#0300"]')) {
    const style = view.getComputedStyle(e);
    const filled = e.hasAttribute('fill') && e.getAttribute('fill') !== 'none';
    const found = contrast(colour(filled ? style.fill : style.stroke).rgb, background(view, e));
    if (found < 3) say(`contrast of a series ${found.toFixed(2)}: ${e.outerHTML.slice(0, 80)}`);
  }
}

function alone(doc, view, say) {
  if (doc.scripts.length > 0) say('a script');
  for (const e of doc.querySelectorAll('*')) {
    for (const { name, value } of e.attributes) {
      if (/^on/i.test(name)) say(`a handler: ${name}`);
      if (/^(src|href|srcset|xlink:href|action|data)$/i.test(name) && !value.startsWith('#')) {
        say(`a reference: ${name}=${value}`);
      }
    }
  }
  for (const entry of view.performance.getEntriesByType('resource')) say(`fetched: ${entry.name}`);
}

for (const frame of document.querySelectorAll('iframe')) {
  const [doc, view] = [frame.contentDocument, frame.contentWindow];
  const place = `${frame.title} at ${frame.width}`;
  const heard = new Set();
  const say = (finding) => heard.add(finding);
  let texts = 0;
  for (const open of [false, true]) {
    doc.querySelectorAll('details:not(.run)').forEach((d) => { d.open = open; });
    doc.querySelectorAll('details.run').forEach((d) => { d.open = true; });
    layout(doc, view, say);
    texts = pictures(doc, view, say);
    colours(doc, view, say);
  }
  alone(doc, view, say);
  const scheme = view.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  const figures = doc.querySelectorAll('figure').length;
  lines.push(`measured: ${place}, ${scheme}, ${figures} figures, ${texts} texts`);
  heard.forEach((finding) => lines.push(`finding: ${place}: ${finding}`));
}
document.getElementById('findings').textContent = lines.join('\n');
