// Playground: says how far a simulation is while it is carried out, and keeps the place on the page.

const form = document.querySelector('form[data-play]')
const told = document.getElementById('simulating')

async function ask () {
  try {
    const answer = await fetch(form.action + '/progress', { headers: { 'x-live': '1' }, credentials: 'same-origin' })
    const { at } = await answer.json()
    if (at) told.textContent = `Simulating… it is ${at.slice(0, 16).replace('T', ' ')} UTC there.`
  } catch {
    // the page is about to be replaced
  }
}

if (form && told) {
  form.addEventListener('submit', event => {
    if (event.submitter && event.submitter.value === 'story') return
    told.textContent = 'Simulating…'
    setInterval(ask, 500)
  })
  const chosen = document.getElementById('experience')
  const paste = document.getElementById('paste')
  const show = () => { paste.hidden = Boolean(chosen.value) }
  if (chosen && paste) {
    chosen.addEventListener('change', show)
    show()
  }
}
