// What the tests ask the page, put into each page before the frontend's own scripts.
"use strict"

window.probe = {
  events: [],

  isReady() {
    const types = Object.keys(window.LiteGraph?.registered_node_types ?? {})
    return (
      Boolean(window.app?.extensionManager) &&
      types.length > 100 &&
      document.querySelector("[data-testid=queue-button]") !== null
    )
  },

  isBlocked() {
    return document.querySelector(".p-blockui-mask") !== null
  },

  // Keep what the host tells about runs, with the page's clock.
  listen() {
    for (const name of ["execution_start", "execution_cached", "progress", "execution_success", "execution_error", "execution_interrupted"]) {
      app.api.addEventListener(name, (event) => this.events.push({ name, detail: event.detail ?? {}, at: performance.now() }))
    }
    document.addEventListener("click", () => (this.clickedAt = performance.now()), { capture: true })
  },

  eventsSince(count) {
    return this.events.slice(count)
  },

  hasEnded(since) {
    return this.eventsSince(since).some(({ name }) => ["execution_success", "execution_error", "execution_interrupted"].includes(name))
  },

  drop(name, base64, type) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const data = new DataTransfer()
    data.items.add(new File([bytes], name, { type }))
    const canvas = document.querySelector("#graph-canvas")
    const { x, y, width, height } = canvas.getBoundingClientRect()
    const where = { dataTransfer: data, bubbles: true, cancelable: true, clientX: x + width / 2, clientY: y + height / 2 }
    for (const kind of ["dragenter", "dragover", "drop"]) canvas.dispatchEvent(new DragEvent(kind, where))
  },

  // The graph's nodes with the values of their widgets; subgraphs are looked into.
  nodes(graph = app.rootGraph) {
    return graph._nodes.flatMap((node) => [
      {
        id: String(node.id),
        type: node.type,
        title: node.title,
        isKnown: Boolean(LiteGraph.registered_node_types[node.type] || node.subgraph),
        values: Object.fromEntries((node.widgets ?? []).filter((w) => w.serialize !== false).map((w) => [w.name, w.value]))
      },
      ...(node.subgraph ? this.nodes(node.subgraph) : [])
    ])
  },

  // Set widgets by name, as typing into them does, wherever they hold a value of the same kind. Where another node
  // gives the value, and has a single one, that is set.
  setValues(values) {
    for (const node of app.rootGraph._nodes) {
      for (const widget of node.widgets ?? []) {
        const value = values[widget.name] ?? values[widget.name.split(".").pop()]
        if (typeof widget.value !== typeof value) continue
        const slot = node.inputs.findIndex((input) => input.widget?.name === widget.name)
        const source = slot < 0 ? null : node.getInputNode(slot)
        const target = source ? source.widgets?.find(({ name }) => name === "value") : widget
        if (!target) continue
        target.value = value
        target.callback?.(value)
      }
    }
  },

  addNode(type, x, y) {
    const node = LiteGraph.createNode(type)
    node.pos = [x, y]
    app.rootGraph.add(node)
    return String(node.id)
  },

  select(id) {
    app.canvas.selectNode(this.node(id))
  },

  node(id) {
    return app.rootGraph._nodes.find((node) => String(node.id) === String(id))
  },

  // The words that a node shows: what stands on the canvas is a slot's label, else its translated name, else its name.
  words(id) {
    const node = this.node(id)
    const word = (slot) => slot.label ?? slot.localized_name ?? slot.name
    return {
      title: node.title,
      inputs: Object.fromEntries(node.inputs.filter(({ type }) => type !== "AUDIO_UI").map((slot) => [slot.name, word(slot)])), // a player has no word
      outputs: node.outputs.map(word)
    }
  },

  // Where on the screen (CSS pixels) a node's title, or the input of this name, is.
  place(id, part) {
    const node = this.node(id)
    const widget = node.widgets?.find((widget) => widget.name === part)
    const [x, y] = widget
      ? [node.pos[0] + node.size[0] / 2, node.pos[1] + widget.y + 10]
      : part === "title"
        ? [node.pos[0] + 60, node.pos[1] - 15]
        : node.getInputPos(node.inputs.findIndex((slot) => slot.name === part))
    const { x: left, y: top } = app.canvas.canvas.getBoundingClientRect()
    const { scale, offset } = app.canvas.ds
    return [left + (x + offset[0]) * scale, top + (y + offset[1]) * scale]
  },

  pointable(id, isNodes2) {
    const node = this.node(id)
    const isTextBox = (name) => Boolean(node.widgets.find((widget) => widget.name === name).element)
    return node.inputs.filter((slot) => (isNodes2 ? slot.widget : !slot.widget || !isTextBox(slot.name))).map((slot) => slot.name)
  },

  // A node with its title, in graph units: [left, top, right, bottom].
  box(node) {
    const element = document.querySelector(`[data-node-id='${node.id}']`) // Nodes 2.0 may draw it larger than it says
    const [width, height] = element ? [element.offsetWidth, element.offsetHeight] : [node.size[0], node.size[1] + 30]
    return [node.pos[0], node.pos[1] - 30, node.pos[0] + width, node.pos[1] - 30 + height]
  },

  // Scroll the template browser to its end: it draws a few dozen cards at a time. Names, in order.
  async templates() {
    const cards = () => [...document.querySelectorAll("[data-testid^=template-workflow-]")]
    for (let before = -1; cards().length > before; ) {
      before = cards().length
      cards().at(-1)?.scrollIntoView()
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    return cards().map((card) => card.dataset.testid.replace("template-workflow-", ""))
  },

  // What a node's status line shows.
  statusOf(type) {
    const node = app.rootGraph._nodes.find((node) => node.type === type)
    return node.widgets.find(({ name }) => name === "$$node-text-preview")?.value
  },

  // Which of the page's text boxes is the widget's, by its text.
  textBox(id, name) {
    const { value } = this.node(id).widgets.find((widget) => widget.name === name)
    return [...document.querySelectorAll("textarea")].findIndex((box) => box.value === value)
  },

  // Bounds in graph units of all nodes and groups, or of some nodes.
  bounds(ids) {
    const boxes = app.rootGraph._nodes.filter((node) => !ids || ids.includes(String(node.id))).map(this.box)
    for (const { pos, size } of ids ? [] : app.rootGraph._groups) boxes.push([pos[0], pos[1], pos[0] + size[0], pos[1] + size[1]])
    const extreme = (pick, index) => pick(...boxes.map((box) => box[index]))
    return [extreme(Math.min, 0), extreme(Math.min, 1), extreme(Math.max, 2), extreme(Math.max, 3)]
  },

  // Pairs of nodes that cover each other.
  overlaps() {
    const nodes = app.rootGraph._nodes.map((node) => [node.title, ...this.box(node)])
    const meet = ([, left, top, right, bottom], [, otherLeft, otherTop, otherRight, otherBottom]) =>
      left < otherRight && otherLeft < right && top < otherBottom && otherTop < bottom
    return nodes.flatMap((node, i) => nodes.slice(i + 1).filter((other) => meet(node, other)).map((other) => [node[0], other[0]]))
  },

  // Show the graph with this point in the canvas's top left corner, in CSS pixels per unit.
  look(left, top, scale) {
    app.canvas.ds.scale = scale
    app.canvas.ds.offset = [-left, -top]
    app.canvas.setDirty(true, true)
  },

  corner() {
    const { x, y } = app.canvas.canvas.getBoundingClientRect()
    return [x, y]
  },

  // Put a node somewhere, in this width and at least this height; null leaves the width.
  put(id, x, y, width, height) {
    const node = this.node(id)
    node.pos = [x, y]
    node.setSize([width ?? node.size[0], Math.max(height, node.computeSize()[1])])
  },

  // Until the view has stood still for some frames: the frontend moves it in an animation.
  async stillView() {
    const view = () => JSON.stringify([app.canvas.ds.scale, [...app.canvas.ds.offset]])
    for (let before = "", still = 0; still < 10; before = view()) {
      await new Promise(requestAnimationFrame)
      still = view() === before ? still + 1 : 0
    }
  },

  async player() {
    const video = document.querySelector("video")
    video.loop = true
    await video.play()
    return video
  },

  film() {
    const video = document.querySelector("video")
    return {
      source: video.currentSrc,
      seconds: video.duration,
      width: video.videoWidth,
      hasControls: video.controls,
      soundBytes: video.webkitAudioDecodedByteCount
    }
  }
}
