/* SPDX-License-Identifier: Apache-2.0
 *
 * number_phone.cc - the backend on libphonenumber (C++, hence a file of its own). Nothing that it throws crosses into C.
 * Its objects may be used by several threads; the first use reads its metadata. */
#include <cstdio>
#include <cstring>
#include <new>
#include <string>

#include <phonenumbers/phonenumberutil.h>

#include "src/number/number_internal.h"

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace {

enum number_kind kind_of(PhoneNumberUtil::PhoneNumberType type, int calling_code)
{
    switch (type) {
    case PhoneNumberUtil::MOBILE:
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
    case PhoneNumberUtil::PAGER:
        return NUMBER_MOBILE;
    case PhoneNumberUtil::FIXED_LINE:
        return NUMBER_FIXED;
    case PhoneNumberUtil::PREMIUM_RATE:
    case PhoneNumberUtil::SHARED_COST:
        return NUMBER_PREMIUM;
    case PhoneNumberUtil::PERSONAL_NUMBER:   /* dear, such as +44 70; in North America machines have them */
        return calling_code == 1 ? NUMBER_SPECIAL : NUMBER_PREMIUM;
    case PhoneNumberUtil::TOLL_FREE:
    case PhoneNumberUtil::VOIP:
    case PhoneNumberUtil::UAN:
    case PhoneNumberUtil::VOICEMAIL:
        return NUMBER_SPECIAL;
    default:
        return NUMBER_UNKNOWN;
    }
}

/* A length that our own table has is good too: plans change sooner than the library that a machine has. */
bool table_has_length(const struct number_country *country, const std::string &national)
{
    return country && national.size() <= NUMBER_NATIONAL_DIGITS_MAX && (country->lengths >> national.size() & 1) != 0;
}

enum number_reason reason_of(PhoneNumberUtil::ValidationResult result)
{
    switch (result) {
    case PhoneNumberUtil::IS_POSSIBLE:
        return NUMBER_OK;
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
        return NUMBER_NO_AREA_CODE;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE:
        return NUMBER_NO_SUCH_CODE;
    case PhoneNumberUtil::TOO_SHORT:
        return NUMBER_TOO_SHORT;
    case PhoneNumberUtil::TOO_LONG:
        return NUMBER_TOO_LONG;
    default:
        return NUMBER_BAD_LENGTH;
    }
}

enum number_reason reason_of(PhoneNumberUtil::ErrorType error)
{
    switch (error) {
    case PhoneNumberUtil::NO_PARSING_ERROR:
        return NUMBER_OK;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
        return NUMBER_NO_SUCH_CODE;
    case PhoneNumberUtil::TOO_LONG_NSN:
        return NUMBER_TOO_LONG;
    default:
        return NUMBER_TOO_SHORT;
    }
}

enum number_reason parse(const std::string &digits, bool international, const struct number_country *country,
                         struct number *ret_number, const struct number_country **ret_country)
{
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    std::string national, text, region;
    PhoneNumber number;
    enum number_reason reason =
        reason_of(util.Parse(international ? "+" + digits : digits, country ? country->code : "ZZ", &number));

    *ret_country = international ? number_country_of_digits(digits.c_str()) : country;
    if (reason != NUMBER_OK)
        return *ret_country ? reason : NUMBER_NO_SUCH_CODE;
    util.GetNationalSignificantNumber(number, &national);
    reason = reason_of(util.IsPossibleNumberWithReason(number));
    if (reason != NUMBER_OK && !(reason != NUMBER_NO_AREA_CODE && table_has_length(*ret_country, national)))
        return reason;
    util.Format(number, PhoneNumberUtil::E164, &text);
    if (text.size() >= sizeof ret_number->text)
        return NUMBER_TOO_LONG;
    util.GetRegionCodeForNumber(number, &region);
    if (region == "001")   /* UN M.49: the world; of a number that belongs to no country */
        region.clear();
    else if (region.size() != 2 || region == "ZZ")
        region = *ret_country ? (*ret_country)->code : "";
    std::memcpy(ret_number->text, text.c_str(), text.size() + 1);
    std::memcpy(ret_number->country, region.c_str(), region.size() + 1);
    ret_number->kind = kind_of(util.GetNumberType(number), number.country_code());
    return NUMBER_OK;
}

} // namespace

extern "C" enum number_reason number_backend_parse(const char *digits, bool international, const struct number_country *country,
                                                   struct number *ret_number, const struct number_country **ret_country)
{
    try {
        return parse(digits, international, country, ret_number, ret_country);
    } catch (...) {   /* std::bad_alloc is all it should throw */
        return NUMBER_NO_MEMORY;
    }
}

extern "C" const char *number_backend(void)
{
    return "libphonenumber";
}
