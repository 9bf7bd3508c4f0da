// The pack's sentences, put in front of the user: errors and advice of its nodes as toasts, in both renderers, in app mode
// and from inside subgraphs; and the estimate of speech while words are typed. Without this file the nodes work the same,
// and say it on their status lines.

import { app } from "../../../scripts/app.js"
import { watchTyping } from "./hint.js"
import { labelTextBoxes } from "./labels.js"

const OURS = "LTXIDLoRA_"
const ADVICE = "idlora.advice" // sent by nodes/host/status.py; an empty text takes the node's advice back

const remembered = new Map() // workflow and node -> advice, for runs in which the node is cached and says nothing
let shown = []
let workflow = "" // the one that was run

app.registerExtension({
  name: "idlora.sentences",
  setup() {
    app.api.addEventListener("execution_start", onStart)
    app.api.addEventListener("execution_cached", onCached)
    app.api.addEventListener("execution_error", onError)
    app.api.addEventListener(ADVICE, onAdvice)
    listenToRefusals()
    watchTyping()
  },
  nodeCreated: labelTextBoxes,
  loadedGraphNode: labelTextBoxes,
  afterConfigureGraph() {
    for (const node of app.rootGraph.nodes) labelTextBoxes(node) // subgraph nodes have their widgets only now
  }
})

// What `validate_inputs` of a node refuses before anything runs: the frontend says that a value was rejected, not why.
function listenToRefusals() {
  const { queuePrompt } = app.api
  app.api.queuePrompt = async function (...request) {
    try {
      const answer = await queuePrompt.apply(this, request)
      showRefusals(answer?.node_errors)
      return answer
    } catch (error) {
      showRefusals(error?.response?.node_errors)
      throw error
    }
  }
}

function showRefusals(nodeErrors) {
  for (const [id, { class_type, errors }] of Object.entries(nodeErrors ?? {})) {
    if (!class_type?.startsWith(OURS)) continue
    // "input - sentence", once for every input that the check looks at.
    const refused = errors.filter(({ type }) => type === "custom_validation_failed")
    const sentences = new Set(refused.map(({ details }) => details.slice(details.indexOf(" - ") + 3)))
    for (const sentence of sentences) toast("error", titleOf(id) ?? class_type, sentence)
  }
}

function onStart() {
  for (const message of shown) app.extensionManager.toast.remove(message)
  shown = []
  workflow = app.extensionManager.workflow?.activeWorkflow?.key ?? ""
}

function onError({ detail }) {
  if (!detail?.node_type?.startsWith(OURS)) return
  toast("error", titleOf(detail.node_id) ?? detail.node_type, detail.exception_message)
}

function onAdvice({ detail }) {
  const key = `${workflow}/${detail.node}`
  if (!detail.text) {
    remembered.delete(key)
    return
  }
  remembered.set(key, detail)
  toast("warn", titleOf(detail.node) ?? detail.title, detail.text)
}

function onCached({ detail }) {
  for (const node of detail?.nodes ?? []) {
    const advice = remembered.get(`${workflow}/${node}`)
    if (advice) toast("warn", titleOf(node) ?? advice.title, advice.text)
  }
}

// It stays until it is closed, or until the next run: whoever looked elsewhere still finds it.
function toast(severity, summary, text) {
  const message = { severity, summary, detail: text.trim() }
  app.extensionManager.toast.add(message)
  shown.push(message)
}

// The title of a node, inside subgraphs too: "5:12" is node 12 in the subgraph of node 5.
function titleOf(id) {
  let graph = app.rootGraph
  let node
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(isNaN(part) ? part : Number(part))
    graph = node?.subgraph
  }
  return node?.title
}
