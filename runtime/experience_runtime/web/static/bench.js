// Bench: saves without leaving the page, and shows what each save came to as soon as the server knows. What
// worked last stays to be seen while a save breaks it. Without this module a link and a button do the same.

const place = document.getElementById('saved')
const form = document.querySelector('form[data-file]')
const code = document.getElementById('code')
const told = document.getElementById('unsaved')

const isEdited = () => code.value !== code.defaultValue

function showEdited () {
  told.textContent = isEdited() ? 'Not saved yet.' : ''
}

function renew (area, text) {
  if (area.value === text) return
  area.defaultValue = text
  area.value = text
  area.dispatchEvent(new Event('input'))
}

async function save (event) {
  event.preventDefault()
  const sent = code.value
  try {
    const answer = await fetch(form.action, {
      method: 'POST', headers: { 'x-live': '1' }, credentials: 'same-origin', body: new URLSearchParams(new FormData(form))
    })
    const isJson = (answer.headers.get('content-type') || '').includes('json')
    const became = isJson ? await answer.json() : {}
    if (!answer.ok) {
      told.textContent = `Not saved: ${became.message || became.detail || 'load the page again'}`
      return
    }
    form.elements.seen.value = became.seen
    const now = code.value
    code.defaultValue = sent
    code.value = now
    showEdited()
  } catch {
    told.textContent = 'Not saved: `experience dev` does not answer any more.'
  }
}

let wanted = 0
let looking = false

async function look () {
  if (looking) return
  looking = true
  try {
    while (Number(place.dataset.number) < wanted) await show()
  } catch {
    told.textContent = '`experience dev` does not answer any more.'
  }
  looking = false
}

async function show () {
  const answer = await fetch(location.href, { headers: { accept: 'text/html', 'x-live': '1' }, credentials: 'same-origin' })
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const next = fresh.getElementById('saved')
  if (!next) throw new Error('the page is another one')
  place.replaceChildren(...next.childNodes)
  if ('follows' in place.dataset) replaceResult(fresh)
  const file = fresh.querySelector('form[data-file]')
  const seen = fresh.querySelector('input[name="story_seen"]')
  if (seen) document.querySelector('input[name="story_seen"]').value = seen.value
  const story = document.getElementById('told')
  const other = fresh.getElementById('told')
  if (other && story.value === story.defaultValue) renew(story, other.value)
  if (file && file.elements.file.value === form.elements.file.value && !isEdited()) {
    form.elements.seen.value = file.elements.seen.value
    renew(code, file.elements.text.value)
  }
  place.dataset.number = next.dataset.number
}

function replaceResult (fresh) {
  const now = document.getElementById('result')
  const next = fresh.getElementById('result')
  const works = next && !('failed' in next.dataset)
  document.getElementById('broken')?.remove()
  if (works && now) now.replaceWith(next)
  else if (works) document.getElementById('main').append(next)
  else if (now) {
    const note = document.createElement('p')
    note.id = 'broken'
    note.className = 'note is-failed'
    note.setAttribute('role', 'alert')
    const fault = fresh.querySelector('[role="alert"]')
    note.textContent = `The last save does not work${fault ? `: ${fault.textContent.replace(/\s+/g, ' ').trim()}` : ''}. Below is the last run that did.`
    now.before(note)
  }
}

if (place && form) {
  form.addEventListener('submit', save)
  code.addEventListener('input', showEdited)
  code.addEventListener('keydown', event => {
    if (event.key === 's' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      form.requestSubmit()
    }
  })
  addEventListener('beforeunload', event => {
    if (isEdited()) event.preventDefault()
  })
  const source = new EventSource(place.dataset.source)
  source.addEventListener('saved', event => {
    wanted = JSON.parse(event.data).number
    look()
  })
}
