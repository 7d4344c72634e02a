// Suggestions: while a visitor's id is typed, those that there are. The Look up button finds the same without this.

const field = document.querySelector('[data-suggest]')
const list = field && document.getElementById(field.getAttribute('list'))
let timer
let asked = 0

async function suggest () {
  const turn = ++asked
  const query = new URLSearchParams({ text: field.value, limit: '10' })
  try {
    const answer = await fetch(`${field.dataset.suggest}?${query}`, { credentials: 'same-origin' })
    if (!answer.ok) return
    const { visitors } = await answer.json()
    if (turn !== asked) return
    const ids = visitors.flatMap(each => [each.id, ...each.ids.filter(id => id !== each.id)])
    list.replaceChildren(...ids.map(id => new Option(id, id)))
  } catch {
    // not reached: what is typed is looked up all the same
  }
}

if (field && list) {
  field.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(suggest, 200)
  })
}
