package table

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// JSON turns an AMQP table into what encoding/json can write.
func JSON(t amqp.Table) map[string]any {
	m := make(map[string]any, len(t))
	for name, value := range t {
		m[name] = jsonValue(value)
	}
	return m
}

// jsonValue turns one AMQP field value (AMQP 0-9-1, section 4.2.5.5, with RabbitMQ's types) into its JSON form.
func jsonValue(value any) any {
	switch v := value.(type) {
	case amqp.Table:
		return JSON(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = jsonValue(v[i])
		}
		return list
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case amqp.Decimal:
		return json.Number(decimal(v))
	case float32:
		return finite(float64(v))
	case float64:
		return finite(v)
	default:
		return v // bool, string, nil and the integers
	}
}

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
