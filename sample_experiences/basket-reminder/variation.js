// Reminds a visitor of a basket they left behind: a day later, on a weekday, in their own morning.
// Whoever buys in the meantime hears nothing.
module.exports = function variation (options) {
  const email = options.integration('webhook') // hands the reminder to the e-mail service
  const basket = options.state.get('basket')

  const reminder = { remind: options.meta.visitorId, items: basket.quantity }

  return email.schedule(reminder, {
    key: { campaign: 'basket-reminder' }, // one reminder per visitor: a later call replaces it
    delay: '1 day',
    window: { day: 'monday-friday', time: '09:00-12:00' }, // no timezoneOffset: the visitor's own time
    cancelOnConversion: true
  })
    .then(function (execution) {
      options.log.info(`Reminder planned for ${execution.time}`)
    })
    .catch(function (err) {
      options.log.error(`No reminder for this visitor: ${err.message}`)
    })
}
