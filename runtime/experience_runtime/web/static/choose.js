// Choosing rows: one box chooses all that are shown, and the words beside the buttons count. Without this each
// row is ticked by itself.

const form = document.querySelector('[data-choose]')

function boxes () { return [...form.querySelectorAll('input[name="id"]')] }

function count () {
  const all = boxes()
  const chosen = all.filter(each => each.checked).length
  const every = form.querySelector('[data-pick-all]')
  every.hidden = false
  every.checked = chosen === all.length && chosen > 0
  every.indeterminate = chosen > 0 && chosen < all.length
  form.querySelector('[data-chosen]').textContent = chosen ? `${chosen} chosen:` : 'None chosen:'
  for (const button of form.querySelectorAll('.chosen button')) button.disabled = chosen === 0
}

if (form) {
  document.addEventListener('change', event => {
    const form = event.target.closest('[data-choose]')
    if (!form) return
    if ('pickAll' in event.target.dataset) for (const each of boxes()) each.checked = event.target.checked
    count()
  })
  count()
  document.addEventListener('live', count)
}
