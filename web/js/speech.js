// How long a line takes to say, and whether it fits a clip: the same formula as idlora_core/speech_length.py, where it is
// explained and its figures have their sources. A test compares the two, letter by letter.

export const CHARACTERS_PER_SECOND = {
  LATIN: 13.0,
  CYRILLIC: 12.0,
  GREEK: 11.0,
  HANGUL: 5.1,
  CJK: 3.8,
  HIRAGANA: 5.9,
  KATAKANA: 5.9,
  DIGIT: 3.1,
  OTHER: 8.4
}
const SCRIPTS = [
  ["DIGIT", /^\p{Nd}/u],
  ["LATIN", /^\p{Script=Latin}/u],
  ["CYRILLIC", /^\p{Script=Cyrillic}/u],
  ["GREEK", /^\p{Script=Greek}/u],
  ["HANGUL", /^\p{Script=Hangul}/u],
  ["CJK", /^\p{Script=Han}/u],
  ["HIRAGANA", /^\p{Script=Hiragana}/u],
  ["KATAKANA", /^[\p{Script=Katakana}\u30fc]/u], // U+30FC lengthens a vowel in both kana
  ["OTHER", /^/]
]
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const PAUSES = { ...pauses(",;:–—、،؛", 0.2), ...pauses(".!?。؟।", 0.5) }
const DIRECTION = /\([^()]*\)|\[[^[\]]*\]/g
const FRAMES_PER_LATENT = 8
const MAX_LENGTH = 16384

function pauses(characters, seconds) {
  return Object.fromEntries([...characters].map((character) => [character, seconds]))
}

// Empty for what is not spoken.
export function scriptOf(character) {
  if (!/^[\p{L}\p{Nd}]/u.test(character)) return ""
  return SCRIPTS.find(([, pattern]) => pattern.test(character))[0]
}

export function speechSeconds(text) {
  let seconds = 0
  let pause = 0
  for (const character of text.normalize("NFKC").replace(DIRECTION, " ")) {
    const script = scriptOf(character)
    if (script) {
      seconds += 1 / CHARACTERS_PER_SECOND[script] + (seconds ? pause : 0)
      pause = 0
    } else {
      pause = Math.max(pause, PAUSES[character] ?? 0)
    }
  }
  return seconds
}

// The shortest clip, 8n + 1 frames, that lasts at least so long.
export function lengthFor(seconds, frameRate) {
  const frames = Math.round(seconds * frameRate * 1e6) / 1e6
  return Math.max(Math.ceil((frames - 1) / FRAMES_PER_LATENT), 0) * FRAMES_PER_LATENT + 1
}

// Whether the words fit: {text, isTooLong, seconds}; `seconds`, on whole tenths, is a clip that is long enough.
export function speechFit(speech, numFrames, frameRate) {
  const seconds = speechSeconds(speech)
  if (!seconds) return { text: "The speech field is empty.", isTooLong: false }
  if (!(numFrames > 0)) return { text: `about ${tenths(seconds)} s of speech`, isTooLong: false }
  const clip = numFrames / frameRate
  if (seconds <= clip) {
    return { text: `about ${tenths(seconds)} s of speech; the clip is ${tenths(clip)} s long`, isTooLong: false }
  }
  const shorter = shortening(speech, clip)
  const enough = Math.ceil(Math.round(seconds * 1e7) / 1e6) / 10
  const length = lengthFor(enough, frameRate)
  const longer = length <= MAX_LENGTH ? `give the clip ${tenths(enough)} s (${length} frames)` : null
  const advice = [shorter, longer].filter(Boolean).join(" or ") || "split it over several clips"
  const needed = Math.max(seconds, clip + 0.1) // the two figures never look equal
  const text =
    `The line needs about ${tenths(needed)} s and the clip is ${tenths(clip)} s long: the rest will be cut off.` +
    ` ${advice[0].toUpperCase()}${advice.slice(1)}.`
  return { text, isTooLong: true, seconds: longer ? enough : null }
}

function shortening(speech, clipSeconds) {
  const spoken = [...speech].filter(scriptOf)
  const isSpaced = 2 * spoken.filter((character) => UNSPACED.test(character)).length <= spoken.length
  const words = speech.split(/\s+/).filter(Boolean)
  const units = isSpaced ? words : [...words.join("")]
  let fitting = 0
  while (fitting < units.length && speechSeconds(units.slice(0, fitting + 1).join(isSpaced ? " " : "")) <= clipSeconds) {
    fitting += 1
  }
  const unit = isSpaced ? "word" : "character"
  return fitting ? `shorten it to about ${fitting} ${unit}${fitting > 1 ? "s" : ""}` : null
}

// One decimal; a tie goes to the even digit, as Python rounds.
function tenths(number) {
  const isTie = Number.isInteger(4 * number) && !Number.isInteger(2 * number)
  if (!isTie) return number.toFixed(1)
  const below = Math.floor(10 * number)
  return ((below % 2 ? below + 1 : below) / 10).toFixed(1)
}
