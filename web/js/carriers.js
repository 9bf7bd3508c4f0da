// Where the words of a line are typed, and the widgets that hold its clip's length: on ID-LoRA Prompt, or on a node that
// stands for a subgraph with one inside.

import { app } from "../../../scripts/app.js"
import { lengthFor } from "./speech.js"

const PROMPT = "LTXIDLoRA_Prompt"
const CLIP_LENGTH = "LTXIDLoRA_ClipLength"

// All boxes that hold spoken words: {prompt, path, widget}; `path` has the subgraph nodes around the prompt, outermost first.
export function carriers(graph = app.rootGraph, path = []) {
  return graph.nodes.flatMap((node) => {
    if (node.subgraph) return carriers(node.subgraph, [...path, node])
    if (node.type !== PROMPT) return []
    const { widget } = governing(node, "speech", path)
    return widget ? [{ prompt: node, path, widget }] : []
  })
}

// What a node's input is set by: {widget, node}. Followed through links, and out of subgraphs.
function governing(node, name, path) {
  const slot = node.inputs?.find((input) => input.widget?.name === name || input.name === name)
  const own = node.widgets?.find((widget) => widget.name === name)
  if (slot?.link == null) return { widget: own, node }
  const graph = path.length ? path.at(-1).subgraph : app.rootGraph
  const link = graph.getLink?.(slot.link) ?? graph.links?.get?.(slot.link)
  if (!link) return { widget: own, node }
  const source = graph.getNodeById(link.origin_id)
  if (source) return { node: source, path }
  const outer = path.at(-1)
  const input = graph.inputs?.[link.origin_slot]
  return outer && input ? governing(outer, input.name, path.slice(0, -1)) : {}
}

// {numFrames, frameRate, setSeconds}: what is known of the clip, and how to change it.
export function clipOf({ prompt, path }) {
  const length = governing(prompt, "length", path)
  const around = length.path ?? path
  if (length.node?.type === CLIP_LENGTH) {
    const seconds = governing(length.node, "seconds", around)
    const rate = governing(length.node, "frame_rate", around)
    const frameRate = Number(rate.widget?.value ?? 25)
    const numFrames = seconds.widget ? lengthFor(Number(seconds.widget.value), frameRate) : 0
    return { numFrames, frameRate, setSeconds: setter(seconds, (wanted) => wanted) }
  }
  const frames = length.widget ?? length.node?.widgets?.find((widget) => widget.name === "value")
  const rate = governing(prompt, "frame_rate", path)
  const rateWidget = rate.widget ?? rate.node?.widgets?.find((widget) => widget.name === "value")
  const frameRate = Number(rateWidget?.value ?? 25)
  const set = setter({ widget: frames, node: length.node }, (wanted) => lengthFor(wanted, frameRate))
  return { numFrames: Number(frames?.value ?? 0), frameRate, setSeconds: set }
}

function setter({ widget, node }, convert) {
  if (!widget) return null
  return (seconds) => {
    widget.value = convert(seconds)
    widget.callback?.(widget.value, app.canvas, node)
    app.rootGraph.setDirtyCanvas(true, true)
  }
}
