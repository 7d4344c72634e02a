// Preview: the next five instants of a schedule, as it is typed. The Preview button does the same without this.

const form = document.querySelector('form[data-preview]')
const shown = document.getElementById('preview')
let timer
let asked = 0

async function preview () {
  const turn = ++asked
  const fields = new URLSearchParams(new FormData(form))
  fields.set('act', 'preview')
  shown.classList.add('updating')
  try {
    const answer = await fetch(form.action, { method: 'POST', body: fields, credentials: 'same-origin' })
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('preview')
    if (turn === asked && fresh) shown.replaceChildren(...fresh.childNodes)
  } catch {
    // not reached: what stands there stays, and saving says what is wrong
  } finally {
    if (turn === asked) shown.classList.remove('updating')
  }
}

if (form && shown) {
  const soon = () => {
    clearTimeout(timer)
    timer = setTimeout(preview, 250)
  }
  form.addEventListener('input', soon)
  form.addEventListener('change', soon)
}
