package show

import (
	"math"
	"strconv"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// decimal writes an AMQP decimal, an integer and how many of its digits stand behind the point, without rounding.
func decimal(d amqp.Decimal) string {
	value, sign := int64(d.Value), ""
	if value < 0 {
		value, sign = -value, "-"
	}
	digits := strconv.FormatInt(value, 10)
	scale := int(d.Scale)
	if scale == 0 {
		return sign + digits
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:]
}

// finite passes a number on, and as text what JSON has no number for.
func finite(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return f
}
