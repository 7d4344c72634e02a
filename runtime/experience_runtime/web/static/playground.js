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
  const file = document.getElementById('told-file')
  if (file) {
    file.closest('[data-script-only]').hidden = false
    file.addEventListener('change', async () => {
      if (!file.files.length) return
      const area = document.getElementById('told')
      area.value = await file.files[0].text()
      area.dispatchEvent(new Event('input'))
    })
  }
  const chosen = document.getElementById('experience')
  const paste = document.getElementById('paste')
  const show = () => { paste.hidden = Boolean(chosen.value) }
  if (chosen && paste) {
    chosen.addEventListener('change', show)
    show()
  }
}
