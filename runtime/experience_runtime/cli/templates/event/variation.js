// Has another system called in two hours; a purchase calls it off.
/** @param {ExperienceOptions} options */
module.exports = async function variation (options) {
  const name = '@NAME@' // the visitor's own: used again, it replaces what is pending under it

  const planned = await App('utils/scheduler', {
    action: 'webhook',
    delay: '2 hrs',
    url: 'https://shop.example.com/reminders', // the system to call
    body: { visitor: options.meta.visitorId },
    schedule_id: name
  })
  if (planned.success) options.log.info(`The shop is called at ${planned.result.scheduled_at}`)
  else options.log.error(`Nothing is planned: ${planned.error.message}`)

  options.uv.once('ecBasketTransactionSummary', async function () {
    const { result } = await App('utils/scheduler', { action: 'cancel', schedule_id: name })
    options.log.info(result.cancelled ? 'Called off' : 'There was nothing to call off')
  })
}
