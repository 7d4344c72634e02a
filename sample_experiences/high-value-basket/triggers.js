// Activates only for a basket above the threshold; the threshold is set in package.json.
module.exports = function triggers (options, cb) {
  const threshold = options.data.threshold

  options.uv.on('ecBasketSummary', function (event) {
    const subtotal = event.basket.subtotal
    if (subtotal.value < threshold) {
      options.log.debug(`Basket of ${subtotal.value}: below ${threshold}, waiting for more`)
      return
    }
    options.state.set('subtotal', subtotal)
    cb()
  }).replay()
}
