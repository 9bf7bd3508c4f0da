// While words are typed: a line below the box that says how long they take, and a button that makes the clip long enough.

import { carriers, clipOf } from "./carriers.js"
import { speechFit } from "./speech.js"

const STYLE =
  "position: fixed; z-index: 2000; display: none; gap: 8px; align-items: center; padding: 6px 10px; border-radius: 8px;" +
  " font: 13px/1.4 sans-serif; box-shadow: 0 2px 8px #0008; max-width: 420px;"
const FITS = "background: #24352b; color: #d9f2e2; border: 1px solid #4c8a66;"
const TOO_LONG = "background: #4a3410; color: #ffe9c4; border: 1px solid #d0894f;"

let box = null
let typing = null // the text box that is typed in

export function watchTyping() {
  box = document.createElement("div")
  box.dataset.testid = "idlora-speech-fit"
  document.body.append(box)
  for (const event of ["input", "focusin"]) document.addEventListener(event, onText, { capture: true })
  document.addEventListener("focusout", onLeave, { capture: true })
}

function onText({ target }) {
  if (target?.tagName !== "TEXTAREA") return
  typing = target
  setTimeout(show, 50) // the frontend hands the text on to its widget first
}

function onLeave({ target, relatedTarget }) {
  // The classic renderer takes the focus away where the mouse is pressed elsewhere, be it on our button.
  if (target !== typing || box.contains(relatedTarget) || box.matches(":hover")) return
  typing = null
  box.style.display = "none"
}

function show() {
  const carrier = typing && carriers().find(({ widget }) => widget.value === typing.value)
  if (!carrier || !typing.isConnected) {
    box.style.display = "none"
    return
  }
  const clip = clipOf(carrier)
  const fit = speechFit(typing.value, clip.numFrames, clip.frameRate)
  box.replaceChildren(Object.assign(document.createElement("span"), { textContent: fit.text }))
  if (fit.isTooLong && fit.seconds && clip.setSeconds) box.append(button(fit.seconds, clip))
  box.style.cssText = STYLE + (fit.isTooLong ? TOO_LONG : FITS)
  box.style.display = "flex"
  place()
}

function button(seconds, clip) {
  const made = Object.assign(document.createElement("button"), { textContent: `Make it ${seconds.toFixed(1)} s` })
  made.style.cssText = "flex: none; padding: 4px 10px; border: 0; border-radius: 6px; background: #d0894f; color: #000; cursor: pointer;"
  made.addEventListener("mousedown", (event) => event.preventDefault()) // the text box keeps the focus
  made.addEventListener("click", () => {
    clip.setSeconds(seconds)
    typing.focus()
    show()
  })
  return made
}

// Below the text box, above it where there is no room, while it has the focus: the graph may be moved meanwhile.
function place() {
  if (!typing || box.style.display === "none") return
  const { left, top, bottom } = typing.getBoundingClientRect()
  const isBelow = bottom + box.offsetHeight + 8 < window.innerHeight
  box.style.left = `${Math.max(4, Math.min(left, window.innerWidth - box.offsetWidth - 8))}px`
  box.style.top = `${isBelow ? bottom + 4 : Math.max(4, top - box.offsetHeight - 4)}px`
  requestAnimationFrame(place)
}
