// Live: what is marked data-live is fetched again every few seconds, and replaced where it changed. Where
// the page names a stamp, that is asked for first: while it is the same, the page is fetched only now and then.
// Without this module the page is the same, and a link loads it anew.

const SECONDS = 3
const LONGEST_SECONDS = 30
const STALE_SECONDS = 30 // "in 3 minutes" grows old by itself

const regions = () => [...document.querySelectorAll('[data-live]')]

let on = true
let wait = SECONDS
let stamp = null
let looked = 0

async function get (address, accept) {
  const answer = await fetch(address, { headers: { accept, 'x-live': '1' }, credentials: 'same-origin' })
  if (!answer.ok || answer.redirected) throw new Error(`answered ${answer.status}`)
  return answer
}

async function lookWhereNew () {
  const address = document.body.dataset.stamp
  const now = address ? (await (await get(address, 'application/json')).json()).stamp : null
  if (now !== null && now === stamp && Date.now() - looked < STALE_SECONDS * 1000) return
  await look()
  stamp = now
  looked = Date.now()
}

function place (region) {
  const active = region.contains(document.activeElement) ? document.activeElement : null
  return active && { id: active.id, href: active.getAttribute('href') }
}

function restore (region, was) {
  if (!was) return
  const same = [...region.querySelectorAll('a, button, [tabindex], summary')].find(each =>
    (was.id && each.id === was.id) || (was.href && each.getAttribute('href') === was.href))
  if (same) same.focus({ preventScroll: true })
}

// What a person has opened is opened again: each is known by its section and its place in it.
function opened (region) {
  const counts = new Map()
  return [...region.querySelectorAll('details')].map(each => {
    const section = each.closest('[aria-labelledby]')
    const name = section ? section.getAttribute('aria-labelledby') : ''
    counts.set(name, (counts.get(name) || 0) + 1)
    return { each, place: `${name} ${counts.get(name)}` }
  })
}

// What a person is about to do, typed into or marked stays as it is.
const isBusy = region => region.querySelector('details.ask[open]') ||
  [...region.querySelectorAll('input, textarea')].some(each =>
    each.matches('[type="checkbox"], [type="radio"]')
      ? each.checked !== each.defaultChecked
      : each.value !== each.defaultValue) ||
  (region.contains(document.activeElement) && document.activeElement.matches('input, select, textarea')) ||
  (String(getSelection()) && region.contains(getSelection().anchorNode))

// As they came: whether a person has opened something since is no difference.
function same (fresh, region) {
  const shut = region.cloneNode(true)
  const [before, after] = [shut, fresh].map(each => [...each.querySelectorAll('details')])
  before.forEach((each, index) => { if (after[index]) each.open = after[index].open })
  return shut.innerHTML === fresh.innerHTML
}

async function look () {
  const answer = await get(location.href, 'text/html')
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
  for (const region of regions()) {
    const next = fresh.getElementById(region.id)
    if (!next || isBusy(region) || same(next, region)) continue
    const was = place(region)
    const open = new Set(opened(region).filter(({ each }) => each.open).map(({ place }) => place))
    const scrolled = [...region.querySelectorAll('.scroll')].map(each => each.scrollLeft)
    region.replaceChildren(...next.childNodes)
    region.querySelectorAll('.scroll').forEach((each, index) => { each.scrollLeft = scrolled[index] || 0 })
    for (const { each, place } of opened(region)) if (open.has(place)) each.open = true
    restore(region, was)
  }
  const ended = fresh.querySelector('[data-ended]')
  if (ended) {
    on = false
    document.querySelectorAll('[data-live-controls]').forEach(each => each.replaceChildren())
  }
}

async function turn () {
  if (on && document.visibilityState === 'visible') {
    try {
      await lookWhereNew()
      wait = SECONDS
      say('live')
    } catch {
      wait = Math.min(wait * 2, LONGEST_SECONDS)
      say(`not reached; tried again in ${wait} s`)
    }
  }
  setTimeout(turn, wait * 1000)
}

let told
function say (text) {
  if (told && told.textContent !== text) told.textContent = text
}

function controls () {
  for (const holder of document.querySelectorAll('[data-live-controls]')) {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'small'
    button.textContent = 'Pause updates'
    told = document.createElement('span')
    told.className = 'muted'
    told.textContent = 'live'
    button.addEventListener('click', () => {
      on = !on
      button.textContent = on ? 'Pause updates' : 'Go on updating'
      say(on ? 'live' : 'paused')
    })
    holder.replaceChildren(told, button)
  }
}

if (regions().length && !document.querySelector('[data-ended]')) {
  controls()
  setTimeout(turn, SECONDS * 1000)
}
