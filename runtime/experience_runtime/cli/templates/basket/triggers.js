// Runs the variation once the page has told what is in the basket.
/**
 * @param {ExperienceOptions} options
 * @param {ExperienceCallback} cb
 */
module.exports = function triggers (options, cb) {
  options.uv.once('ecBasketSummary', function (event) {
    options.state.set('items', event.basket.quantity)
    cb(event.basket.quantity > 0)
  }).replay() // the page may have told it before we listened
}
