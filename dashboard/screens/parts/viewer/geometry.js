// Where planes lie in the patient: LPS mm, as in dashboard.viewing.picture.

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const along = (point, direction, mm) => point.map((value, axis) => value + direction[axis] * mm);
const LETTERS = [["R", "L"], ["A", "P"], ["F", "H"]];
// Planes within about 25 degrees count as parallel: they scroll together and draw no line on each other.
const PARALLEL_COSINE = 0.9;

function letter(direction) {
  const axis = [0, 1, 2].reduce((best, one) => (Math.abs(direction[one]) > Math.abs(direction[best]) ? one : best));
  return LETTERS[axis][direction[axis] > 0 ? 1 : 0];
}

// Geometry of one plane, made once: `left`, `top`, `width`, `height` in mm on its axes, edges of pixels included.
function place(view, index) {
  const plane = view.planes[index];
  if (plane.place) return plane.place;
  const grid = view.grids[plane.grid];
  const normal = cross(grid.right, grid.down);
  const [across, down] = grid.step;
  const left = dot(plane.origin, grid.right) - across / 2;
  const top = dot(plane.origin, grid.down) - down / 2;
  const [width, height] = [grid.columns * across, grid.rows * down];
  const depth = dot(plane.origin, normal);
  plane.place = { grid, normal, left, top, width, height, depth };
  const middle = [left + width / 2, top + height / 2];
  plane.place.middle = middle;
  plane.place.centre = plane.centre || point(plane.place, middle);
  return plane.place;
}

// A place on a plane's axes (right, down), in mm, as a point of the patient, and back.
function point(where, [across, down]) {
  const { right, down: below } = where.grid;
  return [0, 1, 2].map((axis) => right[axis] * across + below[axis] * down + where.normal[axis] * where.depth);
}

const project = (where, position) => [dot(position, where.grid.right), dot(position, where.grid.down)];

// The plane of a view that lies nearest to a point; its distance in mm.
function nearest(view, position) {
  let [found, least] = [0, Infinity];
  for (let index = 0; index < view.planes.length; index += 1) {
    const where = place(view, index);
    const away = Math.abs(dot(position, where.normal) - where.depth);
    if (away < least) [found, least] = [index, away];
  }
  return { index: found, distance: least };
}

// The place nearest to `wanted` that is no farther than `reach` from `own` along either axis, all in mm.
const keptNear = (own, wanted, reach) => own.map((mm, axis) => Math.max(mm - reach, Math.min(mm + reach, wanted[axis])));

const parallel = (one, other) => Math.abs(dot(one.normal, other.normal)) > PARALLEL_COSINE;

// Where another plane's picture crosses this one: ends (right, down) in mm, or null.
function crossing(here, other) {
  if (parallel(here, other)) return null;
  const line = cross(here.normal, other.normal);
  const square = dot(line, line);
  const parts = [cross(other.normal, line), cross(line, here.normal)];
  const start = [0, 1, 2].map((axis) => (here.depth * parts[0][axis] + other.depth * parts[1][axis]) / square);
  const way = line.map((value) => value / Math.sqrt(square));
  let [from, to] = [-1e4, 1e4];
  const [position, step] = [project(other, start), project(other, way)];
  for (const [axis, low, size] of [[0, other.left, other.width], [1, other.top, other.height]]) {
    if (Math.abs(step[axis]) < 1e-9) {
      if (position[axis] < low || position[axis] > low + size) return null;
      continue;
    }
    const ends = [(low - position[axis]) / step[axis], (low + size - position[axis]) / step[axis]].sort((a, b) => a - b);
    [from, to] = [Math.max(from, ends[0]), Math.min(to, ends[1])];
  }
  if (from >= to) return null;
  return [project(here, along(start, way, from)), project(here, along(start, way, to))];
}

function polygonArea(points) {
  let twice = 0;
  points.forEach(([x, y], index) => {
    const [nextX, nextY] = points[(index + 1) % points.length];
    twice += x * nextY - nextX * y;
  });
  return Math.abs(twice) / 2;
}
