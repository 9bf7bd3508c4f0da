// The classic renderer draws no label on a text box. ID-LoRA Prompt has three, and so has a node that stands for a subgraph
// with one inside: here each gets its label, in the margin above its box. Nodes 2.0 has labels of its own.

const BOXES = ["visual", "speech", "sounds"]
const MARGIN = 18 // units around a text box; the frontend's own is 10
const FONT = "12px sans-serif"

export function labelTextBoxes(node) {
  const boxes = (node.widgets ?? []).filter(({ name, element }) => BOXES.includes(name) && element?.tagName === "TEXTAREA")
  if (boxes.length < BOXES.length || node.hasLabelledBoxes) return
  node.hasLabelledBoxes = true
  for (const box of boxes) box.options.margin = MARGIN
  const { onDrawForeground } = node
  node.onDrawForeground = function (context, ...rest) {
    onDrawForeground?.call(this, context, ...rest)
    if (this.flags?.collapsed) return
    context.save()
    context.font = FONT
    context.fillStyle = LiteGraph.WIDGET_SECONDARY_TEXT_COLOR
    for (const { y, label, name } of boxes) context.fillText(label ?? name, MARGIN, y + 13)
    context.restore()
  }
}
