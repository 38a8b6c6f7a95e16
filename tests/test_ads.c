/* The ads reader: names of columns, sides, dates, currencies. The real file is in outside/test_ads_cases.c. */
#include <stdlib.h>
#include <string.h>

#include "tests/reading.h"
#include "tests/tap.h"

#define ADS &kt_format_ads
#define HEAD "Journal_ID,GL_Account_Number,Amount,Amount_Credit_Debit_Indicator,Effective_Date\n"

int main(void) {
    reads(ADS, NULL,
          HEAD "7,1000,12.50,S,20070131\n7,2000,12.5,H,20070131\n8,1000,1,D,2007-02-01\n8,2000,-1,d,20070201\n8,3,2,c,"
               "20070201\n8,4,2,DR,20070201\n",
          "2007-01-31 7: 1000 12.50; 2000 -12.5\n2007-02-01 8: 1000 1; 2000 -1; 3 -2; 4 2\n",
          "S and D are debits, H and C credits; dates with and without dashes");
    reads(
        ADS, NULL,
        "JOURNAL ID,je_header_ "
        "Description,JE_Line_Description,gl_account_number,amount,Effective_Date,Amount_Currency,Business_Unit_Code,"
        "Segment01,Segment_03,Reference_Number,My Own\n"
        "7,Head,Line,1000,-5,20070131,EUR,9900,s1,,R,x\n7,Head,,2000,5,20070201,EUR,,,s3,R,y\n",
        "2007-01-31 7 \"Head\" (R): 1000 -5 EUR {2=9900} {4=s1} \"Line\"; 2000 5 EUR {6=s3}\n",
        "names without regard to case, blanks and underscores; a system's own columns are passed over; signed amounts");
    reads(ADS, NULL,
          "Journal_ID,GL_Account_Number,Amount,Effective_Date,Document_Date,Entered_Date\n"
          "1,10,0,19000101,20070203,20070301\n2,10,0,20070204,20070203,20070301\n3,10,0,,00000000,20070301\n4,10,0,"
          "19000101,19000101,\n",
          "2007-02-03 1: 10 0\n2007-02-04 2: 10 0\n2007-03-01 3: 10 0\n"
          "! in:5: no date: Effective_Date, Document_Date and Entered_Date are empty\n",
          "the first of effective, document and entered date that is no filler");
    reads(ADS, NULL,
          "Journal_ID,GL_Account_Number,Debit_Amount,Credit_Amount,Effective_Date\n1,10,5.00,,20070101\n1,11,0,5.00,"
          "20070101\n",
          "2007-01-01 1: 10 5.00; 11 -5.00\n", "two columns of amounts");
    reads(ADS, NULL,
          "Journal_ID,GL_Account_Number,Amount,Amount_Currency,Functional_Amount,Functional_Currency_Code,Amount_"
          "Credit_Debit_Indicator,Effective_Date\n"
          "1,10,5.00,EUR,37.30,DKK,D,20070101\n1,11,37.30,DKK,37.30,DKK,C,20070101\n2,11,0,EUR,1.50,DKK,C,20070101\n2,"
          "11,1.50,DKK,,,D,20070101\n",
          "2007-01-01 1: 10 5.00 EUR @ 37.30 DKK; 11 -37.30 DKK\n2007-01-01 2: 11 -1.50 DKK; 11 1.50 DKK\n",
          "a functional amount in another currency is the line's cost; of a line without an amount it is the amount");
    reads(ADS, NULL,
          "Journal_ID,GL_Account_Number,Functional_Amount,Effective_Date\n1,10,5.00,20070101\n1,11,-5.00,20070101\n",
          "2007-01-01 1: 10 5.00; 11 -5.00\n", "only functional amounts");
    reads(ADS, NULL,
          "Journal_ID,GL_Account_Number,Amount,Effective_Date,JE_Line_Description\n1,10,5,20070101,f\xFCr\n1,10,5,"
          "20070101,\n",
          "2007-01-01 1: 10 5 \"für\"; 10 5\n", "text that is no UTF-8 is taken for ISO-8859-1");
    reads(ADS, NULL,
          "Journal_ID,GL_Account_Number,Amount,Effective_Date,JE_Line_Description\n1,10,5,20070101,f\xC3\xBCr\n1,10,5,"
          "20070101,\n",
          "2007-01-01 1: 10 5 \"für\"; 10 5\n", "and UTF-8 for UTF-8");
    kt_format_options pipe = {.delimiter = '|', .decimal = ','};
    reads(ADS, &pipe, "Journal_ID|GL_Account_Number|Amount|Effective_Date\n1|10|5,5|20070101\n",
          "2007-01-01 1: 10 5.5\n", "the standard's own delimiter");
    reading_has(ADS, NULL, HEAD "7,1000,1,X,20070131\n",
                "! in:2: Amount_Credit_Debit_Indicator is 'X'; expected D or S (debit)", "a side that is neither");
    reading_has(ADS, NULL, HEAD "7,1000,1,,20070131\n", "! in:2: Amount_Credit_Debit_Indicator is ''", "no side");
    reading_has(ADS, NULL, HEAD "7,1000,,S,20070131\n", "! in:2: Amount is empty", "no amount");
    reading_has(ADS, NULL, HEAD "7,,1,S,20070131\n", "! in:2: GL_Account_Number is empty", "no account");
    reading_has(ADS, NULL, HEAD ",10,1,S,20070131\n", "! in:2: Journal_ID is empty", "no journal id");
    reading_has(ADS, NULL, HEAD "7,10,1,S,20071301\n", "! in:2: Effective_Date '20071301' is no date; expected",
                "an impossible date");
    reading_has(ADS, NULL, HEAD "7,10,1,S,20070101\n8,10,1,S,20070101\n7,10,1,S,20070101\n",
                "! in:4: voucher 7 comes back", "a journal id that comes back");
    reading_has(ADS, NULL, "Journal_ID,Amount\n", "no column 'GL_Account_Number'",
                "a missing column is refused by name");
    reading_has(ADS, NULL, "Journal_ID,GL_Account_Number,Amount\n", "no column 'Effective_Date'", "a date is needed");
    reading_has(ADS, NULL, "Journal_ID,GL_Account_Number,Effective_Date\n", "no column 'Amount'",
                "an amount is needed");
    reading_has(ADS, NULL, "x,y\n1,2\n", "is no header row of format ads", "another file is refused");
    return done();
}
