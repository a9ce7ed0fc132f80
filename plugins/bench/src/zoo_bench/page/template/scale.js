// Numbers: axes, ticks and how values are written.

function written(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(value.toPrecision(size < 1000 ? 4 : 6)));
}

function ticks(low, high, log, most) {
  const found = [];
  if (log) {
    const step = Math.max(1, Math.ceil((high - low) / most));
    for (let power = Math.ceil(low); power <= high; power += step) found.push(power);
    if (found.length > 1) return found;
    found.length = 0;
  }
  const raw = (high - low) / most || 1;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((size) => size >= raw) || 10 * unit;
  for (let at = Math.ceil(low / step); at * step <= high + step * 1e-9; at += 1) found.push(at * step);
  return found;
}

// The least and largest of what is seen between two steps, as the axis counts (powers of ten where it is logarithmic).
function extent(curves, from, to, transform) {
  let [low, high] = [Infinity, -Infinity];
  curves.forEach((curve) => {
    curve.x.forEach((x, i) => {
      if (x < from || x > to) return;
      const [a, b] = [transform(curve.low[i]), transform(curve.high[i])];
      if (Number.isFinite(a) && a < low) low = a;
      if (Number.isFinite(b) && b > high) high = b;
    });
  });
  if (low > high) return [0, 1];
  const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 0.5;
  const bound = (value) => Math.max(-1.7e308, Math.min(1.7e308, value));
  return [bound(low - room), bound(high + room)];
}

function nearest(sorted, value) {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1; else high = middle;
  }
  return low > 0 && value - sorted[low - 1] < sorted[low] - value ? low - 1 : low;
}
