// Choosing rows: one box chooses all that are shown, and the words beside the buttons count. Without this each
// row is ticked by itself.

function boxes (form) { return [...form.querySelectorAll('input[name="id"]')] }

function count (form) {
  const all = boxes(form)
  const chosen = all.filter(each => each.checked).length
  const every = form.querySelector('[data-pick-all]')
  every.checked = chosen === all.length && chosen > 0
  every.indeterminate = chosen > 0 && chosen < all.length
  form.querySelector('[data-chosen]').textContent = chosen ? `${chosen} chosen:` : 'Those chosen:'
}

// the page may have come anew: the form is looked for at each change
document.addEventListener('change', event => {
  const form = event.target.closest('[data-choose]')
  if (!form) return
  if ('pickAll' in event.target.dataset) for (const each of boxes(form)) each.checked = event.target.checked
  count(form)
})
