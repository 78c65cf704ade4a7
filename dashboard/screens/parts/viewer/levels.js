// Names of vertebrae and discs, written before their front edges: white on a dark rim, so that they can be read on fat
// and on air alike. Where there is no room for all, vertebrae come before discs, and those further up before the next.

const NAME_PX = 13;
const DISC_NAME_PX = 11;
const NAME_GAP_PX = 7;
// What stands in the corners of a picture (pane.js) is not written over.
const TOP_CORNER_PX = 48;
const BOTTOM_CORNER_PX = [44, 110];

function levelNames(pane, state, where, { segments, certain }) {
  const spots = segments.filter(({ level }) => level).map((one) => {
    const [[edge], [, middle]] = [one.front, one.centre].map((at) => pane.toScreen(project(where, at), state));
    return { ...one, words: certain ? one.level : `${one.level}?`, x: edge - NAME_GAP_PX, y: middle, disc: one.kind === "disc" };
  });
  const written = [];
  for (const spot of [...spots.filter((one) => !one.disc), ...spots.filter((one) => one.disc)]) {
    const height = spot.disc ? DISC_NAME_PX : NAME_PX;
    const free = written.every((other) => Math.abs(other.y - spot.y) >= (other.height + height) / 2 + 1);
    const seen = spot.y > height && spot.y < pane.height - height && spot.x < pane.width + 20 && spot.x > -20;
    const cornered = (spot.y < TOP_CORNER_PX && spot.x < pane.width * 0.65)
      || (spot.y > pane.height - BOTTOM_CORNER_PX[0] && spot.x < BOTTOM_CORNER_PX[1]);
    if (free && seen && !cornered) written.push({ ...spot, height });
  }
  const { context } = pane;
  context.save();
  Object.assign(context, { textAlign: "right", textBaseline: "middle", lineJoin: "round", lineWidth: 3, strokeStyle: "#000" });
  for (const { words, x, y, disc, height } of written) {
    context.font = `${disc ? 500 : 700} ${height}px system-ui, sans-serif`;
    // At the edge of the picture the name stays within it.
    const right = Math.min(pane.width - 4, Math.max(x, context.measureText(words).width + 4));
    context.fillStyle = disc ? "#d6e4f0" : "#fff";
    context.strokeText(words, right, y);
    context.fillText(words, right, y);
  }
  context.restore();
  pane.element.dataset.levels = written.map(({ words }) => words).join(" ");
}
